"""How well offers are compared in the phrasings of real texts: a judged table, and its floors.

phrasings.tsv holds, in columns: kind of phrasing, requirement, offered text (after "@": a structured
parameter), the verdict of a careful reader, and the converted value that is to be shown. The judge says
"unstated" wherever another product, a goal, a condition or a doubt may be meant. The rows whose comparison
falls short of the judgement stay in the table: they are counted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from marketplace.indicators.compare import Finding, compare
from marketplace.indicators.offers import read_offer
from marketplace.indicators.verdicts import Verdict
from tests.unit.indicators.test_compare import required

TABLE = Path(__file__).with_name("phrasings.tsv")


@dataclass(frozen=True)
class Row:
    """One judged comparison."""

    kind: str
    requirement: str
    offer: str
    verdict: str
    shown: str

    def finding(self) -> Finding:
        if self.offer.startswith("@"):
            return compare(required(self.requirement), read_offer((required(self.offer[1:]),), ""))
        return compare(required(self.requirement), read_offer((), self.offer))


def rows() -> Iterator[Row]:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Row(*line.split("\t"))


@pytest.fixture(scope="module")
def judged() -> list[tuple[Row, Finding]]:
    return [(row, row.finding()) for row in rows()]


def test_the_table_is_large_and_of_many_kinds(judged: list[tuple[Row, Finding]]) -> None:
    assert len(judged) >= 500
    assert len({(row.requirement, row.offer) for row, _ in judged}) == len(judged)
    assert len({row.kind for row, _ in judged}) >= 25
    assert sum(row.verdict == Verdict.UNSTATED for row, _ in judged) >= 150


def test_hardly_a_verdict_is_wrong(judged: list[tuple[Row, Finding]]) -> None:
    """A wrong "met" is the worst error: it praises somebody for what is not said."""
    said = [(row, found) for row, found in judged if found.verdict is not Verdict.UNSTATED]
    wrong = [row.offer for row, found in said if found.verdict != row.verdict]
    assert len(wrong) <= 0.005 * len(said), wrong


def test_hardly_a_statement_is_overlooked(judged: list[tuple[Row, Finding]]) -> None:
    stated = [(row, found) for row, found in judged if row.verdict != Verdict.UNSTATED]
    overlooked = [row.offer for row, found in stated if found.verdict is Verdict.UNSTATED]
    assert len(overlooked) <= 0.03 * len(stated), overlooked


def test_the_conversion_is_shown_as_a_person_would_write_it(judged: list[tuple[Row, Finding]]) -> None:
    shown = [(row, found) for row, found in judged if row.shown]
    assert len(shown) >= 30
    for row, found in shown:
        assert found.conversion.endswith(f" = {row.shown}"), row.offer


def test_what_is_quoted_stands_in_the_text(judged: list[tuple[Row, Finding]]) -> None:
    for row, found in judged:
        if found.verdict is not Verdict.UNSTATED and not row.offer.startswith("@"):
            assert found.quote in row.offer
            assert found.offered_text in found.quote


# Entries collected elsewhere are read where they lie; here stand only their ids and the values to be found.
REAL = [
    ("RE0107", "颗粒直径 ≤ 60 μm", "met", "≤50μm"),
    ("RE0109", "工作时间 ≥ 5 h", "met", "6~8 h"),
    ("RE0139", "系统总重 ≤ 12 kg", "met", "小於10kg"),
    ("RE0139", "移动速度 ≥ 5 km/h", "unstated", ""),
    ("RE0228", "开路电压 ≥ 680 mV", "met", "大於700 mV"),
    ("RE0228", "开路电压 ≥ 0.75 V", "unmet", "大於700 mV"),
    ("RE0228", "效率 ≥ 20 %", "met", "23.5％"),
    ("RE0241", "量测精度 ≤ 2 μm", "met", "1μm"),
    ("RE0313", "增益 ≥ 20 dBi", "met", "30 dBi"),
    ("RE0333", "减重误差 ≤ 5 N", "met", "控制在正負4N"),
    ("RE0348", "平均误差 ≤ 10 %", "met", "控制在6％內"),
    ("RE0360", "转换效率 ≥ 95 %", "met", "98％"),
    ("RE0380", "成功率 ≥ 95 %", "met", "98％"),
    ("RE0398", "导离度 ≥ 1 mS/cm", "met", "＞1 mS/cm"),
    ("RE0421", "传输速率 ≥ 800 Mbps", "met", "900 Mbps以上"),
    ("RE0457", "点距 ≤ 1 mm", "partial", "0.75 mm"),
    ("RE0462", "误差 ≤ 0.5 %", "met", "0.3％"),
    ("RE0512", "防护服重量 ≤ 500 g", "met", "小於450克"),
    ("RE0516", "准确率 ≥ 95 %", "met", "100％"),
    ("RE0623", "处理量 ≥ 40 kg/h", "met", "50公斤/小時"),
    ("RE0582", "防护等级 = IP54", "met", "IP68"),
    ("RE0048", "节油率 ≥ 20 %", "unstated", ""),
    ("RE0426", "水深 ≥ 50 m", "unstated", ""),
    ("RE0688", "占比 ≥ 15 %", "unstated", ""),
    ("RE0593", "占比 ≥ 10 %", "unstated", ""),
    ("RE0660", "处理量 ≥ 1000 吨", "unstated", ""),
    ("RE0215", "产值 ≥ 10 亿美元", "unstated", ""),
]


@pytest.mark.skipif("MARKETPLACE_REAL_DATA" not in os.environ, reason="needs the collected entries")
@pytest.mark.parametrize(("entry", "requirement", "verdict", "value"), REAL)
def test_a_real_text_is_compared(entry: str, requirement: str, verdict: str, value: str) -> None:
    lines = Path(os.environ["MARKETPLACE_REAL_DATA"], "real_entries.jsonl").read_text(encoding="utf-8")
    entries = (json.loads(line) for line in lines.splitlines())
    text = next(data["text"] for data in entries if data["id"] == entry)
    finding = compare(required(requirement), read_offer((), text))
    assert (finding.verdict, finding.offered_text) == (verdict, value)
