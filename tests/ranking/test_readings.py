"""What is kept of the readings of real texts says to any requirement what the texts say."""

import json
import os
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from marketplace.indicators.compare import compare
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.offers import read_offer
from marketplace.indicators.readings import KeptOffer, written
from marketplace.indicators.verdicts import Verdict

FOLDER = os.environ.get("MARKETPLACE_REAL_DATA", "")
if not FOLDER:
    reason = "MARKETPLACE_REAL_DATA names no folder with the real entries"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)

ASKED = [
    *(
        Indicator(name, Comparator.GE, Decimal(10), unit=unit)
        for name, unit in (
            ("效率", "%"),
            ("良率", "%"),
            ("抗拉强度", "MPa"),
            ("额定功率", "kW"),
            ("使用寿命", "年"),
            ("产能", "吨/年"),
            ("年产量", "吨"),
            ("面积", "平方米"),
            ("重量", "kg"),
            ("续航里程", "km"),
            ("厚度", "mm"),
            ("精度", "mm"),
            ("能量密度", "Wh/kg"),
            ("工作温度", "℃"),
            ("成本", "%"),
        )
    ),
    Indicator("防护等级", Comparator.EQ, text_value="IP67"),
    Indicator("功能安全等级", Comparator.EQ, text_value="ASIL D"),
]


def test_kept_and_fresh_readings_of_real_texts_say_the_same() -> None:
    lines = (Path(FOLDER) / "real_entries.jsonl").read_text(encoding="utf-8").splitlines()
    stated = 0
    for line in lines:
        row = json.loads(line)
        offer = read_offer((), f"{row['title']}\n{row['text']}")
        kept = KeptOffer(written(offer), partial(read_offer, offer.parameters, offer.text))
        for asked in ASKED:
            finding = compare(asked, kept)
            assert finding == compare(asked, offer)
            stated += finding.verdict is not Verdict.UNSTATED
    assert stated >= 10
