"""Quantities in real phrasings, and what only looks like one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.indicators.model import Comparator
from marketplace.indicators.reader import Quantity, read_quantities

EXPECTED = [
    ("额定负载200公斤", "eq 200 公斤"),
    ("额定負載２００公斤", "eq 200 公斤"),
    ("负载≥180 kg", "ge 180 kg"),
    ("负载>=180kg", "ge 180 kg"),
    ("负载≧180kg", "ge 180 kg"),
    ("负载大于等于180kg", "ge 180 kg"),
    ("负载不低于180千克", "ge 180 千克"),
    ("负载至少180kg", "ge 180 kg"),
    ("负载超过1.2吨", "ge 1.2 吨"),
    ("年产能超10万吨", "ge 10 万吨"),
    ("节油率25%以上", "ge 25 %"),
    ("良率达到98.5％及以上", "ge 98.5 ％"),
    ("设备3000余台", "ge 3000 台"),
    ("寿命突破120万次", "ge 120 万次"),
    ("寿命不少于1.2×10⁶次", "ge 1200000 次"),
    ("寿命10^6次", "eq 1000000 次"),
    ("噪声≤65dB(A)", "le 65 dB(A)"),
    ("误差小于0.5%", "le 0.5 %"),
    ("误差不大于０．５％", "le 0.5 ％"),
    ("能耗不超过3 kWh", "le 3 kWh"),
    ("48小时内交付样件", "le 48 小时"),
    ("7天以内响应", "le 7 天"),
    ("重量控制在12kg", "le 12 kg"),
    ("不足200公斤", "le 200 公斤"),
    ("成本低于500元", "le 500 元"),
    ("精度±0.02 mm", "pm 0.02 mm"),
    ("精度优于±0.05mm", "pm 0.05 mm"),
    ("温控±0.5℃", "pm 0.5 ℃"),
    ("外径50±0.5mm", "pm 50 0.5 mm"),
    ("外径50mm±0.5mm", "pm 50 0.5 mm"),
    ("电压220V±10%", "pm 220 22 V"),
    ("定位精度优于0.05mm", "le 0.05 mm"),
    ("优于0.05mm的定位精度", "le 0.05 mm"),
    ("续航优于500km", "ge 500 km"),
    ("工作温度-40～125℃", "range -40 125 ℃"),
    ("工作温度−40℃~+85℃", "range -40 85 ℃"),
    ("温度从10℃到30℃", "range 10 30 ℃"),
    ("粒径10-20μm", "range 10 20 μm"),
    ("粒径10—20微米", "range 10 20 微米"),
    ("质量500g到2kg", "range 0.5 2 kg"),
    ("效率提升15~25%", "range 15 25 %"),
    ("3~5倍", "range 3 5 倍"),
    ("硬度58-62HRC", "range 58 62 HRC"),
    ("硬度HRC58~62", "range 58 62 HRC"),
    ("硬度HRC 60", "eq 60 HRC"),
    ("表面粗糙度Ra0.8μm", "eq 0.8 μm"),
    ("粗糙度Ra≤0.8μm", "le 0.8 μm"),
    ("粗糙度达Ra1.6", "eq 1.6 μm"),
    ("成熟度TRL 7", "eq 7 TRL"),
    ("成熟度TRL7", "eq 7 TRL"),
    ("防护等级IP67", "grade IP67"),
    ("防护等级 IP 6X", "grade IP6X"),
    ("功能安全ASIL-D", "grade ASIL D"),
    ("约200公斤", "about eq 200 公斤"),
    ("重200公斤左右", "about eq 200 公斤"),
    ("大约3 mm厚", "about eq 3 mm"),
    ("转化率~95%", "about eq 95 %"),
    ("功率150KW", "eq 150 KW"),
    ("压力35 Mpa", "eq 35 Mpa"),
    ("扭矩450N.m", "eq 450 N.m"),
    ("转速12000r/min", "eq 12000 r/min"),
    ("流量6m³/h", "eq 6 m³/h"),
    ("导热系数大于180 W/(m·K)", "ge 180 W/(m·K)"),
    ("能量密度达400 Wh/kg", "eq 400 Wh/kg"),
    ("加速度5m/s²", "eq 5 m/s²"),
    ("投资1.5亿元", "eq 1.5 亿元"),
    ("产能10万吨/年", "eq 10 万吨/年"),
    ("耐温300K", "eq 300 K"),
    ("可耐150oC", "eq 150 oC"),
    ("12V电源", "eq 12 V"),
    ("单机功率1,200 kW", "eq 1200 kW"),
    ("长10，200公斤", "eq 200 公斤"),
    ("分辨率50um", "eq 50 um"),
    ("10年质保", "eq 10 年"),
    ("质保24个月", "eq 24 个月"),
    ("声压级≥200", "ge 200 "),
    ("payload of at least 200 kg", "ge 200 kg"),
    ("no less than 95%", "ge 95 %"),
    ("less than 5 mm", "le 5 mm"),
    ("weighs about 3 kg", "about eq 3 kg"),
    ("from 10 to 20 mm", "range 10 20 mm"),
    ("95% or more", "ge 95 %"),
    ("良率提高3个百分点", "eq 3 个百分点"),
    ("质保三年", "eq 3 年"),
    ("寿命达一百五十万次", "eq 1500000 次"),
    ("不少于十万次", "ge 100000 次"),
    ("一千零二十五件", "eq 1025 件"),
    ("三点五倍", "eq 3.5 倍"),
    ("百分之九十九点五", "eq 99.5 %"),
    ("漏检率万分之五以内", "le 0.05 %"),
    ("华氏250度", "eq 250 °F"),
    ("每小时120件", "eq 120 件/小时"),
    ("8000转每分", "eq 8000 转每分"),
    ("1.8万转/分", "eq 1.8 万转/分"),
    ("正负4N", "pm 4 N"),
    ("3e6次", "eq 3000000 次"),
    ("3.2×10⁻⁶/K", "eq 0.0000032 /K"),
    ("50N/mm2", "eq 50 N/mm2"),
    ("250Nm的扭矩", "eq 250 Nm"),
    ("0.3mm/a", "eq 0.3 mm/a"),
    ("研发人员80人", "eq 80 人"),
    ("控制在12~18微米", "range 12 18 微米"),
    ("人民币8万元", "eq 8 万元"),
    ("冷却至-40℃", "eq -40 ℃"),
    ("信号-90dBm", "eq -90 dBm"),
]

NOT_QUANTITIES = [
    "采用6061-T6铝合金",
    "主控为STM32F407",
    "MR-J4-200A伺服",
    "40Cr调质处理",
    "20CrMnTi渗碳",
    "Ti-6Al-4V粉末",
    "5G通信与3D打印",
    "4K屏",
    "18650电池",
    "CO2捕集与H2O2",
    "满足GB/T 28046.4-2011",
    "符合ISO 26262:2018",
    "按QC/T 413测试",
    "IEEE 802.11协议",
    "T/CAAMTB 12-2020",
    "2023年6月18日签约",
    "2021-2025年",
    "2023-06-18",
    "截至2025年底",
    "109年6月首飞",
    "9月30日前",
    "上午9:30",
    "比例1:1000",
    "电话023-67891234",
    "手机13812345678",
    "热线400-820-1234",
    "邮箱li200@abc.com",
    "网址https://a.cn/200kg",
    "专利号ZL201910123456.7",
    "专利US9667626B2",
    "统一社会信用代码 91500000123456789X",
    "(3)精度",
    "2.其他要求",
    "如图3和表2所示",
    "第3代产品",
    "V2.0版本",
    "外形1200×800×600mm",
    "16x64的阵列",
    "误差1.2×106",
    "角度60度",
    "长安-200公斤",
    "流动12-9毫米",
    "共有人员35",
    "批号20230618",
    "没有数字",
    "第三年",
    "五六台",
    "数万次",
    "三百余万次",
    "质保两年半",
    "质保1年半",
    "20人机协作",
    "半年",
    "三五年",
    "",
]


def shown(quantity: Quantity) -> str:
    if quantity.text_value:
        return f"grade {quantity.text_value}"
    values = [quantity.nominal, quantity.value, quantity.value_to]
    parts = [
        quantity.comparator.value,
        *(format(value, "f") for value in values if value is not None),
        quantity.unit,
    ]
    if quantity.nominal is not None:
        parts[2] = format(Decimal(parts[2]).normalize(), "f")
    return ("about " if quantity.approximate else "") + " ".join(parts)


@pytest.mark.parametrize(("text", "expected"), EXPECTED)
def test_a_quantity_is_read(text: str, expected: str) -> None:
    assert [shown(quantity) for quantity in read_quantities(text)] == [expected]


@pytest.mark.parametrize("text", NOT_QUANTITIES)
def test_what_only_looks_like_a_quantity_is_left_alone(text: str) -> None:
    assert read_quantities(text) == []


def test_several_quantities_come_in_order_with_their_places() -> None:
    text = "1、额定负載２００公斤，重复定位精度±0.02 mm；2、防护IP67,工作温度-40～125℃。"
    found = read_quantities(text)
    assert [text[q.start : q.end] for q in found] == ["２００公斤", "±0.02 mm", "IP67", "-40～125℃"]
    assert [q.comparator for q in found] == [Comparator.EQ, Comparator.PM, Comparator.EQ, Comparator.RANGE]


@settings(deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=[])
        | st.sampled_from("0123456789.,±≥~-%×^kgmIPTRL公斤万次年月约以上不低于度第图 "),
        max_size=120,
    )
)
def test_no_text_is_refused_and_places_are_within_it(text: str) -> None:
    for quantity in read_quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert (quantity.value is None) == bool(quantity.text_value)
        if quantity.comparator is Comparator.RANGE:
            assert quantity.value is not None
            assert quantity.value_to is not None
            assert quantity.value <= quantity.value_to
