"""大中小微 by 工信部联企业〔2011〕300号, from staff and turnover."""

import pytest

from marketplace.kernel.money import FEN_PER_WAN
from marketplace.organisations.kinds import OrganisationKind, OrganisationSize
from marketplace.organisations.sizes import size_by_figures

ENTERPRISE = OrganisationKind.ENTERPRISE


@pytest.mark.parametrize(
    ("employees", "revenue_wan", "size"),
    [
        (1000, 40_000, OrganisationSize.LARGE),
        (999, 40_000, OrganisationSize.MEDIUM),
        (5000, 39_999, OrganisationSize.MEDIUM),
        (300, 2_000, OrganisationSize.MEDIUM),
        (299, 90_000, OrganisationSize.SMALL),
        (300, 1_999, OrganisationSize.SMALL),
        (20, 300, OrganisationSize.SMALL),
        (19, 300, OrganisationSize.MICRO),
        (5000, 299, OrganisationSize.MICRO),
        (0, 0, OrganisationSize.MICRO),
    ],
)
def test_both_figures_must_reach_a_class(employees: int, revenue_wan: int, size: OrganisationSize) -> None:
    assert size_by_figures(ENTERPRISE, employees, revenue_wan * FEN_PER_WAN) is size


def test_a_fen_below_the_threshold_is_below_it() -> None:
    assert size_by_figures(ENTERPRISE, 1000, 40_000 * FEN_PER_WAN - 1) is OrganisationSize.MEDIUM


@pytest.mark.parametrize(
    ("kind", "employees", "revenue_fen"),
    [(ENTERPRISE, None, 1), (ENTERPRISE, 1, None), (OrganisationKind.UNIVERSITY, 900, 1), (None, 900, 1)],
)
def test_nothing_is_hinted_without_both_figures_or_for_others_than_enterprises(
    kind: OrganisationKind | None, employees: int | None, revenue_fen: int | None
) -> None:
    assert size_by_figures(kind, employees, revenue_fen) is None
