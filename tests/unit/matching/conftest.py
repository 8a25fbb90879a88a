"""A small corpus of our own writing, in both scripts and in English."""

from datetime import UTC, datetime

import pytest

from marketplace.matching.engine.documents import Kind, Matchable, Standing

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

CAPABILITIES = (
    (
        "滚珠丝杠直线执行机构",
        "面向轮端电动卡钳的直线执行机构，滚珠丝杠与行星减速器同轴集成，额定推力 32 kN。",
    ),
    ("輪端電子機械制動夾鉗", "電子機械制動夾鉗總成，夾緊力 30 kN，具備間隙自適應與駐車功能。"),
    ("镁合金压铸件", "大型薄壁镁合金压铸件，最大投影面积 0.8 平方米，表面微弧氧化处理。"),
    (
        "Electro-mechanical brake actuator",
        "Brake-by-wire actuator with planetary gear and ball screw, clamping force 28 kN.",
    ),
    ("柑橘分选设备", "柑橘无损糖度检测与分选生产线，每小时处理 10 吨。"),
    ("微弧氧化表面处理", "镁合金与铝合金零件微弧氧化，耐盐雾 1000 小时。"),
)


def capability(number: int, title: str, body: str, **facts: object) -> Matchable:
    facts.setdefault("standing", Standing.VERIFIED)
    facts.setdefault("organisation_id", 100 + number)
    return Matchable(Kind.CAPABILITY, number, title=title, sections=(("body", body),), **facts)  # type: ignore[arg-type]


@pytest.fixture
def corpus() -> list[Matchable]:
    return [capability(number, title, body) for number, (title, body) in enumerate(CAPABILITIES, start=1)]


@pytest.fixture
def seeker() -> Matchable:
    return Matchable(
        Kind.CHALLENGE,
        1,
        title="电子机械制动轮端执行器",
        sections=(
            ("body", "现有轮端电动卡钳夹紧力不足，需要滚珠丝杠与行星减速器一体化的电子机械制动执行机构。"),
        ),
        organisation_id=1,
        standing=Standing.VERIFIED,
    )
