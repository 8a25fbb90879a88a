"""What an organisation has to declare."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from marketplace.organisations.kinds import DesignationKind, OrganisationKind, OrganisationSize
from marketplace.organisations.rules import (
    DesignationDraft,
    OrganisationDraft,
    code_from,
    is_web_address,
    name_key,
    obstacles_to_saving,
    obstacles_to_submitting,
    step_of,
)

TODAY = date(2026, 11, 22)
CHAIN_MASTER = DesignationDraft(DesignationKind.CHAIN_MASTER, "渝链主2024-003", "某委员会", date(2027, 1, 1))
WHOLE = OrganisationDraft(
    name="重庆巴渡新能源汽车股份有限公司",
    uscc="91110000600037341L",
    size=OrganisationSize.LARGE,
    region="500112",
    summary="整车企业，在渝北和万州各有一座整车工厂，自有五大工艺。",
    contact_name="廖启航",
    contact_phone="13800000000",
    clusters=("A1",),
    designations=(CHAIN_MASTER,),
)


def fields(draft: OrganisationDraft) -> list[str]:
    return [obstacle.field for obstacle in obstacles_to_submitting(draft, today=TODAY)]


def test_a_whole_draft_may_be_submitted() -> None:
    assert fields(WHOLE) == []


def test_an_empty_draft_is_told_everything_at_once() -> None:
    assert fields(OrganisationDraft(name="", kind=None)) == [
        "name", "uscc", "kind", "region", "clusters", "contact_name", "contact_phone", "summary",
    ]  # fmt: skip


def test_a_draft_may_be_saved_while_it_is_not_whole() -> None:
    assert list(obstacles_to_saving(OrganisationDraft(name="某厂"))) == []


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("91110000600037341L", "91110000600037341L"),
        (" 91110000 60003734 1l ", "91110000600037341L"),
        ("９１１１００００６０００３７３４１Ｌ", "91110000600037341L"),
    ],
)
def test_codes_are_read_in_any_width_and_case(typed: str, stored: str) -> None:
    assert code_from(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "91110000600037341", "911100006000373411", "91110000600037341I", "9111000060003734²L", "x" * 18],
)
def test_a_wrong_code_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(ValueError, match="统一社会信用代码"):
        code_from(typed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uscc": "911100006000373411"}, "uscc"),
        ({"size": None}, "size"),
        ({"clusters": ("A1", "A2", "A3", "B1", "B2", "B3")}, "clusters"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"designations": (CHAIN_MASTER, CHAIN_MASTER)}, "designations.1.kind"),
        ({"designations": (replace(CHAIN_MASTER, number=""),)}, "designations.0.number"),
        ({"designations": (replace(CHAIN_MASTER, issuer=""),)}, "designations.0.issuer"),
        ({"designations": (replace(CHAIN_MASTER, valid_to=date(2026, 11, 21)),)}, "designations.0.valid_to"),
        (
            {"designations": (replace(CHAIN_MASTER, issued_on=date(2026, 11, 23)),)},
            "designations.0.issued_on",
        ),
        (
            {"designations": (replace(CHAIN_MASTER, issued_on=TODAY, valid_to=TODAY - timedelta(1)),)},
            "designations.0.valid_to",
        ),
        ({"kind": OrganisationKind.UNIVERSITY}, "designations.0.kind"),
        ({"summary": "太短"}, "summary"),
    ],
)
def test_each_obstacle_names_its_field_and_stands_at_a_step(changes: dict[str, object], field: str) -> None:
    assert set(fields(replace(WHOLE, **changes))) == {field}
    assert step_of(field) in ("basics", "contact", "designations")


def test_a_university_needs_no_size() -> None:
    assert fields(replace(WHOLE, kind=OrganisationKind.UNIVERSITY, size=None, designations=())) == []


def test_names_are_recognised_across_scripts_widths_and_brackets() -> None:
    keys = {
        name_key(n)
        for n in (
            "重慶雲脊摩托車（集團）有限公司",
            "重庆云脊摩托车(集团)有限公司",
            " 重庆云脊摩托车集团 有限公司",
        )
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    "text", ["ftp://a.example", "http://", "https://a b.example", "http://[", "example.com"]
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    assert not is_web_address(text)
