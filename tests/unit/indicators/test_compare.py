"""Whether an offer meets an indicator, in the phrasings of real texts: never guessed, always quoted."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.indicators.compare import NOTHING, compare
from marketplace.indicators.model import Comparator, Indicator, parse_decimal
from marketplace.indicators.offers import read_offer
from marketplace.indicators.verdicts import Verdict


def required(line: str) -> Indicator:
    """ "额定负载 ≥ 180 kg", "工作温度 -40 ~ 125 ℃", "直径 50 ± 0.5 mm", "防护等级 = IP65" as an indicator."""
    name, rest = re.split(r" (?=[≥≤=±] |-?[0-9.]+ [~±] )", line, maxsplit=1)
    if match := re.fullmatch(r"(≥|≤) (\S+) ?(.*)", rest):
        comparator = Comparator.GE if match[1] == "≥" else Comparator.LE
        return Indicator(name, comparator, parse_decimal(match[2]), unit=match[3])
    if match := re.fullmatch(r"(\S+) ~ (\S+) (.*)", rest):
        return Indicator(
            name, Comparator.RANGE, parse_decimal(match[1]), parse_decimal(match[2]), unit=match[3]
        )
    if match := re.fullmatch(r"(\S+ )?± (\S+) (.*)", rest):
        nominal = parse_decimal(match[1]) if match[1] else None
        return Indicator(name, Comparator.PM, parse_decimal(match[2]), nominal=nominal, unit=match[3])
    match = re.fullmatch(r"= (\d\S*) (.*)", rest)
    if match:
        return Indicator(name, Comparator.EQ, parse_decimal(match[1]), unit=match[2])
    return Indicator(name, Comparator.EQ, text_value=rest.removeprefix("= "))


IN_TEXT = [
    # met, with and without conversion
    ("额定负载 ≥ 180 kg", "机器人额定负载200公斤,自重50公斤。", "met"),
    ("额定负载 ≥ 180 kg", "機器人額定負載200公斤", "met"),
    ("额定负载 ≥ 180 kg", "额定负载为180kg", "met"),
    ("额定负载 ≥ 180 kg", "额定负载:0.2吨", "met"),
    ("额定负载 ≥ 180 kg", "负载能力可达200公斤", "met"),
    ("额定负载 ≥ 180 kg", "具有200公斤的负载能力", "met"),
    ("额定负载 ≥ 180 kg", "额定载荷不低于180千克", "met"),
    ("额定负载 ≥ 180 kg", "额定负载500~600kg", "met"),
    ("额定负载 ≥ 180 kg", "负载约220公斤", "met"),
    ("负载 ≥ 180 kg", "payload capacity of up to 200 kg", "met"),
    ("负载 ≥ 180 kg", "Rated payload: at least 200 kg", "met"),
    ("额定拉力 ≥ 28 kN", "额定拉力3.2 tf", "met"),
    ("节油率 ≥ 25 %", "实际工况实现大于25%节油率", "met"),
    ("节油率 ≥ 25 %", "节油率25%以上", "met"),
    ("节油率 ≥ 25 %", "油耗降低率达到28%", "met"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度±0.02mm", "met"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度优于0.03 mm", "met"),
    ("重复定位精度 ± 0.05 mm", "重复精度达±20μm", "met"),
    ("定位误差 ≤ 0.05 mm", "定位误差±0.02mm", "met"),
    ("表面粗糙度 ≤ 0.8 μm", "表面粗糙度Ra0.4μm", "met"),
    ("表面粗糙度 ≤ 0.8 μm", "粗糙度可达Ra0.4", "met"),
    ("噪声 ≤ 65 dB(A)", "整机噪音不高于60dB(A)", "met"),
    ("疲劳寿命 ≥ 100 万次", "疲劳寿命达1.2×10⁶次", "met"),
    ("密封圈疲劳寿命 ≥ 100 万次", "产品疲劳寿命突破120万次", "met"),
    ("使用寿命 ≥ 10 年", "使用寿命120个月", "met"),
    ("良率 ≥ 95 %", "良品率稳定在98%以上", "met"),
    ("工作温度 -40 ~ 125 ℃", "工作溫度範圍:-55℃～150℃", "met"),
    ("工作温度 -40 ~ 125 ℃", "工作温度范围-40～125℃", "met"),
    ("硬度 58 ~ 62 HRC", "硬度60HRC", "met"),
    ("硬度 58 ~ 62 HRC", "硬度HRC58~62", "met"),
    ("直径 50 ± 0.5 mm", "直径50±0.2mm", "met"),
    ("联动轴数 = 5 轴", "联动轴数为5轴", "met"),
    ("能耗降低 ≥ 15 %", "综合能耗降低20%", "met"),
    ("目标检测准确率 ≥ 95 %", "目标检测准确率达98.5%", "met"),
    ("导热系数 ≥ 150 W/(m·K)", "热导率大于180 W/(m·K)", "met"),
    ("抗拉强度 ≥ 450 MPa", "抗拉强度≥480MPa,延伸率>8%", "met"),
    ("延伸率 ≥ 8 %", "抗拉强度≥480MPa,断后伸长率>8%", "met"),
    ("防护等级 = IP65", "整机IP67防护", "met"),
    ("防护等级 = IP65", "防護等級IP65", "met"),
    ("功能安全 = ASIL C", "通过ASIL-D认证", "met"),
    ("材料牌号 = 6061-T6", "材料牌号6061-T6,2024年投产", "met"),
    ("响应时间 ≤ 2 天", "响应时间48小时内", "met"),
    ("技术成熟度 ≥ 6 TRL", "技术成熟度TRL 7", "met"),
    ("最高工作温度 ≤ 60 ℃", "最高工作温度323.15K", "met"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度(负载50kg时)±0.02mm", "met"),
    ("产能 ≥ 1000 kg/h", "产能达到1.2吨/小时", "met"),
    ("额定负载 ≥ 180 kg", "自重50公斤额定负载200公斤", "met"),
    # unmet
    ("额定负载 ≥ 180 kg", "额定负载150公斤", "unmet"),
    ("额定负载 ≥ 180 kg", "额定负载≥150kg", "unmet"),
    ("额定负载 ≥ 180 kg", "负载不超过150kg", "unmet"),
    ("额定负载 ≥ 180 kg", "负载50~100kg", "unmet"),
    ("额定负载 ≥ 180 kg", "负载约100公斤", "unmet"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度±0.1mm", "unmet"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度0.2 mm", "unmet"),
    ("噪声 ≤ 65 dB(A)", "噪声72dB(A)", "unmet"),
    ("噪声 ≤ 65 dB(A)", "噪声大于70 dB(A)", "unmet"),
    ("工作温度 -40 ~ 125 ℃", "工作温度130～150℃", "unmet"),
    ("硬度 58 ~ 62 HRC", "硬度50HRC", "unmet"),
    ("直径 50 ± 0.5 mm", "直径60mm", "unmet"),
    ("防护等级 = IP67", "外壳IP54", "unmet"),
    ("防护等级 = IP67", "外壳IP58", "unmet"),
    ("功能安全 = ASIL D", "满足ASIL B", "unmet"),
    ("联动轴数 = 5 轴", "联动轴数为3轴", "unmet"),
    ("疲劳寿命 ≥ 100 万次", "疲劳寿命50万次", "unmet"),
    # partial
    ("工作温度 -40 ~ 125 ℃", "工作温度-40～85℃", "partial"),
    ("工作温度 -40 ~ 125 ℃", "工作温度85℃", "partial"),
    ("额定负载 ≥ 180 kg", "额定负载100~200kg", "partial"),
    ("额定负载 ≥ 180 kg", "甲型额定负载100公斤;乙型额定负载200公斤", "partial"),
    ("硬度 58 ~ 62 HRC", "硬度55-65HRC,另有59-60HRC", "met"),
    ("直径 50 ± 0.5 mm", "直径50±1mm", "partial"),
    ("直径 50 ± 0.5 mm", "直径50.4±0.3mm", "partial"),
    # must not be compared: nothing stated, another thing, another dimension, not theirs, not sure
    ("额定负载 ≥ 180 kg", "", "unstated"),
    ("额定负载 ≥ 180 kg", "负载能力强,国内领先", "unstated"),
    ("额定负载 ≥ 180 kg", "自重200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载的机器人自重200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "最大负载200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载200台", "unstated"),
    ("额定负载 ≥ 28 kN", "额定负载3200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载2.5", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载提升50公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "负载约190公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "负载不超过200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "在200公斤负载下,精度±0.02mm", "unstated"),
    ("额定负载 ≥ 180 kg", "负载200公斤时噪声60dB", "unstated"),
    ("额定负载 ≥ 180 kg", "计划将额定负载提升至200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "目标额定负载200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "国外产品额定负载200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "目前尚未达到额定负载200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载,200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载见表1。整机200公斤", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载型号KR-200", "unstated"),
    ("定位精度 ± 0.05 mm", "重复定位精度±0.02mm", "unstated"),
    ("重复定位精度 ± 0.05 mm", "定位精度±0.02mm", "unstated"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度0.08mm", "unstated"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度±0.02°", "unstated"),
    ("能耗 ≤ 15 kWh", "能耗降低20%", "unstated"),
    ("良率 ≥ 95 %", "良率提升98%", "unstated"),
    ("密封圈疲劳寿命 ≥ 100 万次", "电机疲劳寿命120万次", "unstated"),
    ("使用寿命 ≥ 10 年", "使用寿命达120万次", "unstated"),
    ("强度 ≥ 450 MPa", "比强度480MPa", "unstated"),
    ("转速 ≥ 3000 r/min", "转速对应频率50 Hz", "unstated"),
    ("频率 ≥ 40 Hz", "频率3000 r/min", "unstated"),
    ("噪声 ≤ 65 dB(A)", "噪声60dB", "unstated"),
    ("直径 50 ± 0.5 mm", "直径公差±0.2mm", "unstated"),
    ("工作温度 -40 ~ 125 ℃", "工作温度不高于150℃", "unstated"),
    ("防护等级 = IP67", "防护等级高", "unstated"),
    ("防护等级 = IP67", "计划取得IP68", "unstated"),
    ("防护等级 = IP65", "防护IP6X", "unstated"),
    ("材料牌号 = Q345", "材料牌号Q235,2024年投产", "unstated"),
    ("标准 ≥ 2000 kg", "满足标准GB/T 2828.1", "unstated"),
    ("年产量 ≥ 2000 台", "年产量2023年创新高", "unstated"),
    ("负载 ≥ 180 kg", "负载率200%", "unstated"),
    ("检测时间 ≤ 1 小时", "平均省下100小时的时间", "unstated"),
    ("检测时间 ≤ 1 小时", "检测时间为5-30分钟", "met"),
    ("进口压力 ≤ 1 MPa", "进口压力0.8MPa", "met"),
]


@pytest.mark.parametrize(("line", "text", "verdict"), IN_TEXT)
def test_a_text_is_compared(line: str, text: str, verdict: str) -> None:
    finding = compare(required(line), read_offer((), text))
    assert finding.verdict == verdict
    if finding.verdict is Verdict.UNSTATED:
        assert finding == NOTHING
    else:
        assert finding.quote in text
        assert finding.offered_text in finding.quote


STRUCTURED = [
    ("额定负载 ≥ 180 kg", "负载能力 = 200 公斤", "met"),
    ("额定负载 ≥ 180 kg", "额定载荷 ≥ 0.2 t", "met"),
    ("额定负载 ≥ 180 kg", "额定负载 ≥ 150 kg", "unmet"),
    ("额定负载 ≥ 180 kg", "额定负载 ≤ 200 kg", "unstated"),
    ("额定负载 ≥ 180 kg", "最大负载 = 200 kg", "unstated"),
    ("额定负载 ≥ 180 kg", "自重 = 200 kg", "unstated"),
    ("额定负载 ≥ 180 kg", "额定负载 = 200 台", "unstated"),
    ("重复定位精度 ± 0.05 mm", "重复定位精度 ± 0.02 mm", "met"),
    ("重复定位精度 ± 0.05 mm", "重复精度 ± 60 μm", "unmet"),
    ("重复定位精度 ± 0.05 mm", "定位精度 ± 0.02 mm", "unstated"),
    ("工作温度 -40 ~ 125 ℃", "工作温度 -55 ~ 150 ℃", "met"),
    ("工作温度 -40 ~ 125 ℃", "工作温度 -20 ~ 150 ℃", "partial"),
    ("工作温度 -40 ~ 125 ℃", "工作温度 130 ~ 150 ℃", "unmet"),
    ("工作温度 -40 ~ 125 ℃", "工作温度 233.15 ~ 398.15 K", "met"),
    ("温度波动 ± 2 ℃", "温度波动 ± 1 K", "met"),
    ("直径 50 ± 0.5 mm", "直径 50 ± 0.1 mm", "met"),
    ("直径 50 ± 0.5 mm", "直径 ± 0.1 mm", "unstated"),
    ("噪声 ≤ 65 dB(A)", "噪音 ≤ 60 dB(A)", "met"),
    ("防护等级 = IP65", "防水等级 = IP68", "met"),
    ("防护等级 = IP65", "防护等级 = IP6X", "unstated"),
    ("功能安全 = ASIL D", "功能安全 = ASIL B", "unmet"),
    ("牌号 = Q345", "牌号 = q345", "met"),
    ("牌号 = Q345", "牌号 = Q235", "unstated"),
    ("克拉数 ≥ 3 克拉", "克拉数 = 4 克拉", "met"),
]


@pytest.mark.parametrize(("line", "parameter", "verdict"), STRUCTURED)
def test_a_parameter_is_compared(line: str, parameter: str, verdict: str) -> None:
    offered = required(parameter)
    finding = compare(required(line), read_offer((offered,), ""))
    assert finding.verdict == verdict
    if finding.verdict is not Verdict.UNSTATED:
        assert finding.quote == f"{offered.name} {offered.requirement_text()}"


def test_the_conversion_is_written_out() -> None:
    assert (
        compare(required("拉力 ≥ 28 kN"), read_offer((), "拉力3.2 tf")).conversion
        == "3.2 tf × 9.80665 = 31.4 kN"
    )
    assert compare(required("拉力 ≥ 28 kN"), read_offer((), "拉力30 kN")).conversion == ""


def test_both_ends_of_a_range_are_converted() -> None:
    finding = compare(required("长度 1 ~ 2 m"), read_offer((required("长度 500 ~ 2500 mm"),), ""))
    assert finding.conversion == "500 mm ÷ 1000 = 0.5 m; 2500 mm ÷ 1000 = 2.5 m"


def test_a_parameter_outranks_the_text() -> None:
    offered = (required("额定负载 = 150 kg"),)
    assert (
        compare(required("额定负载 ≥ 180 kg"), read_offer(offered, "额定负载200公斤")).verdict
        is Verdict.UNMET
    )


def test_the_text_is_asked_where_the_parameter_says_nothing() -> None:
    offered = (required("额定负载 = 3 台"), Indicator("额定负载", Comparator.GE))
    assert (
        compare(required("额定负载 ≥ 180 kg"), read_offer(offered, "额定负载200公斤")).verdict is Verdict.MET
    )


def test_the_quote_is_the_sentence_as_written() -> None:
    text = "公司成立于2010年。機器人額定負載２００公斤，國內領先。歡迎洽談。"
    finding = compare(required("额定负载 ≥ 180 kg"), read_offer((), text))
    assert finding.quote == "機器人額定負載２００公斤，國內領先。"
    assert finding.offered_text == "２００公斤"


def test_a_long_sentence_is_quoted_in_part() -> None:
    finding = compare(required("额定负载 ≥ 180 kg"), read_offer((), "额定负载200公斤," + "很好" * 200))
    assert finding.verdict is Verdict.MET
    assert len(finding.quote) == 200


def test_a_requirement_without_a_value_is_compared_with_nothing() -> None:
    draft = Indicator("额定负载", Comparator.GE, unit="kg")
    assert compare(draft, read_offer((required("额定负载 = 200 kg"),), "额定负载200公斤")) == NOTHING


ANY_TEXT = st.text(
    st.characters(exclude_categories=[])
    | st.sampled_from("额定负载精度0123456789.,，。±≥≤~-%公斤kgmm约以上时下(1)IPA "),
    max_size=150,
)


@settings(deadline=None)
@given(ANY_TEXT, st.sampled_from([line for line, _, _ in IN_TEXT]))
def test_no_text_is_refused(text: str, line: str) -> None:
    finding = compare(required(line), read_offer((), text))
    assert (finding.verdict is Verdict.UNSTATED) == (finding.quote == "")


@settings(deadline=None)
@given(st.decimals(1, 10**6, places=3), st.decimals(1, 10**6, places=3))
def test_a_bound_and_its_mirror_image_agree_with_arithmetic(bound: Decimal, value: Decimal) -> None:
    offered = (Indicator("质量", Comparator.EQ, value, unit="g"),)
    at_least = compare(Indicator("质量", Comparator.GE, bound, unit="kg"), read_offer(offered, ""))
    at_most = compare(Indicator("质量", Comparator.LE, bound, unit="kg"), read_offer(offered, ""))
    assert (at_least.verdict is Verdict.MET) == (value >= bound * 1000)
    assert (at_most.verdict is Verdict.MET) == (value <= bound * 1000)
