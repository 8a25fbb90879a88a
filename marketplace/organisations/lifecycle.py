"""The life of an organisation on the platform."""

from enum import StrEnum

from marketplace.kernel.lifecycle import Lifecycle, Transition
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_


class OrganisationStatus(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    RETURNED = "returned"
    VERIFIED = "verified"
    SUSPENDED = "suspended"
    UNCLAIMED = "unclaimed"


S = OrganisationStatus
MANAGER, OPERATOR = frozenset({Party.MANAGER}), frozenset({Party.OPERATOR})

LIFECYCLE = Lifecycle(
    "organisation",
    OrganisationStatus,
    Transition("submit", (S.DRAFT, S.RETURNED), S.PENDING, MANAGER, N_("提交核验")),
    Transition("verify", (S.PENDING,), S.VERIFIED, OPERATOR, N_("核验通过")),
    Transition("return", (S.PENDING,), S.RETURNED, OPERATOR, N_("退回补正"), reason=True),
    Transition("suspend", (S.VERIFIED,), S.SUSPENDED, OPERATOR, N_("暂停资格"), reason=True, danger=True),
    Transition("reinstate", (S.SUSPENDED,), S.VERIFIED, OPERATOR, N_("恢复资格"), reason=True),
    initial=(S.DRAFT, S.UNCLAIMED),
    labels={
        S.DRAFT: N_("填报中"),
        S.PENDING: N_("待核验"),
        S.RETURNED: N_("退回补正"),
        S.VERIFIED: N_("已核验"),
        S.SUSPENDED: N_("已暂停"),
        S.UNCLAIMED: N_("未认领"),
    },
    path=(S.DRAFT, S.PENDING, S.VERIFIED),
    detours={S.RETURNED: S.PENDING, S.SUSPENDED: S.VERIFIED},
)
