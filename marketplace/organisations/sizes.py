"""大、中、小、微: the size class of an industrial enterprise by 工信部联企业〔2011〕300号. Plain Python.

The thresholds are those of 工业 (mining, manufacturing, utilities); other trades have others, so what comes
out here is a hint that a person confirms. Both figures must reach a class, or the next one down applies.
"""

from marketplace.kernel.money import FEN_PER_WAN
from marketplace.organisations.kinds import OrganisationKind, OrganisationSize

# Class → from how many 从业人员 and from how much 营业收入 (万元), the largest first.
INDUSTRY = (
    (OrganisationSize.LARGE, 1000, 40_000),
    (OrganisationSize.MEDIUM, 300, 2_000),
    (OrganisationSize.SMALL, 20, 300),
)


def size_by_figures(
    kind: OrganisationKind | None, employees: int | None, revenue_fen: int | None
) -> OrganisationSize | None:
    """The class that the figures speak for; None where one is missing or it is no enterprise."""
    if kind is not OrganisationKind.ENTERPRISE or employees is None or revenue_fen is None:
        return None
    for size, least_employees, least_wan in INDUSTRY:
        if employees >= least_employees and revenue_fen >= least_wan * FEN_PER_WAN:
            return size
    return OrganisationSize.MICRO
