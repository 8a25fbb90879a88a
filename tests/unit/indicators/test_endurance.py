"""Whatever stands in a text: it is read without an exception, and in time linear in its length.

Time is not measured. A text of 150,000 characters is read in a process that may use a fixed amount of
processor time: many times what a linear reader needs, and a small part of what a quadratic one would.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.indicators.compare import compare
from marketplace.indicators.conditions import may_state
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.offers import read_offer
from marketplace.indicators.reader import read_quantities
from marketplace.indicators.units import parse_unit
from marketplace.indicators.verdicts import Verdict
from marketplace.language import analyse, normalise, normalise_with_offsets, sentence_spans, spans

LENGTH = 150_000
SECONDS = 60


def listed(text: str) -> list[str]:
    return text.split()


FRAGMENTS = listed(
    """
    额定负载 负载 載荷 密封圈疲劳寿命 重复定位精度 噪声 工作温度 表面粗糙度 防护等级 payload load capacity
    ± ~ - – ≥ < + × 10^6 ×10⁶ e6 1 12 1,200 0.5 ９ ⅔ 一 两 十 百 万 点 半 余 约 左右 以上 以下 内 不低于 优于
    控制在 从 由 提升到 降至 达到 为 : ： ( ) （ ） [ ] kg 公斤 tf kN MPa ℃ 华氏 摄氏 度 % ‰ ppm μm 丝 mm 万次
    年 月 小时 转/分 /K W/(m·K) dB(A) HRC Ra TRL IP67 ASIL-D 每小时 百分之 第 图 编号 GB/T 2023 目标 国外 若
    时 下 的 ， , 。 ； 、 ① (1) 1、 • http:// a@b.c \u0301 \u202e \ud800 \x00 ﷺ İ Σ ﬁ ㎏ ½ ² 資料 軟體 “ 40Cr
    6061-T6 D50
    """
)
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=20).map("".join) | st.text(
    st.characters(exclude_categories=[]), max_size=80
)
NUMBERS = st.none() | st.decimals(-(10**9), 10**9, allow_nan=False) | st.sampled_from([Decimal("1e30")])


@st.composite
def indicators(draw: st.DrawFn) -> Indicator:
    """Any indicator, whole or not."""
    name = draw(st.sampled_from(["额定负载", "密封圈疲劳寿命", "噪声", "payload"]) | TEXTS)
    unit = draw(st.sampled_from(["kg", "次", "mm", "℃", "dB(A)", "%", ""]) | TEXTS)
    text_value = draw(st.sampled_from(["", "", "IP67", "ASIL C"]) | TEXTS)
    comparator = draw(st.sampled_from(list(Comparator)))
    value, value_to, nominal = draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)
    return Indicator(name, comparator, value, value_to, nominal, text_value, unit)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_any_text_is_read(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    assert normalise_with_offsets(text).text == plain
    for start, end in sentence_spans(text):
        assert 0 <= start < end <= len(text)
    for start, end, _ in spans(text, ["负载", text[:3]]):
        assert 0 <= start < end <= len(text)
    for quantity in read_quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
    unit = parse_unit(text)
    assert unit is None or isinstance(unit.dimension, str)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(indicators(), st.lists(indicators(), max_size=2), TEXTS)
def test_any_requirement_is_compared_with_any_offer(
    required: Indicator, parameters: list[Indicator], text: str
) -> None:
    finding = compare(required, read_offer((), text))
    if finding.verdict is not Verdict.UNSTATED:
        analysis = analyse(text)
        assert may_state(required).may_be_in_terms(analysis.bigrams, analysis.words)
        assert 0 < len(finding.quote) <= 200
    with_parameters = compare(required, read_offer(parameters, text))
    assert (with_parameters.verdict is Verdict.UNSTATED) == (with_parameters.quote == "")


READ = """
import sys
from decimal import Decimal
from marketplace.indicators.compare import compare
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.offers import read_offer
from marketplace.indicators.reader import read_quantities
from marketplace.indicators.units import parse_unit
from marketplace.language import analyse, normalise, normalise_with_offsets, sentences, spans
from marketplace.matching.engine.excerpts import excerpt

length = int(sys.argv[1])
for pattern in sys.argv[2:]:
    pattern = pattern.encode("ascii").decode("unicode_escape")
    text = (pattern * (length // len(pattern) + 1))[:length]
    for read in (normalise, normalise_with_offsets, sentences, analyse, read_quantities, parse_unit):
        read(text)
    spans(text, ["负载", "load"])
    excerpt(text, ["负载", "load"])
    offer = read_offer((), text)
    for name, unit in (("额定负载", "kg"), (text, "kg"), ("负载", text)):
        compare(Indicator(name, Comparator.GE, Decimal(1), unit=unit), offer)
    compare(Indicator("防护等级", Comparator.EQ, text_value="IP67"), offer)
print("read")
"""


@pytest.mark.parametrize(
    "patterns",
    [
        ("1", "1,", "(", "a"),
        ("\u00b1", "1~2mm\u00b1", "1\u00d710^6"),
        ("\u8d1f\u8f7d1kg", "\u8d1f\u8f7d\u3002", "\u76ee\u6807\u56fd\u5916"),
        ("\u0301", "\ud800", " "),
        ("IP6", "\u4e00", "a-1."),
    ],
    ids=["digits", "signs", "names", "marks", "mixtures"],
)
def test_a_hostile_text_is_read_in_linear_time(patterns: tuple[str, ...]) -> None:
    escaped = [pattern.encode("unicode_escape").decode("ascii") for pattern in patterns]
    done = subprocess.run(
        [sys.executable, "-c", READ, str(LENGTH), *escaped],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),
    )
    assert done.stdout == "read\n", done.stderr[-2000:]
