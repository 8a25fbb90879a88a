"""The lives of an organisation, of a claim to a collected one, and of what was entered for one."""

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
    MERGED = "merged"


class ClaimStatus(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class EntryStatus(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    OBJECTED = "objected"


S, C, E = OrganisationStatus, ClaimStatus, EntryStatus
MANAGER, OPERATOR = frozenset({Party.MANAGER}), frozenset({Party.OPERATOR})
# An operator hands in for a firm only what it entered with the firm's recorded consent.
ASSISTED = MANAGER | OPERATOR

LIFECYCLE = Lifecycle(
    "organisation",
    OrganisationStatus,
    Transition("submit", (S.DRAFT, S.RETURNED), S.PENDING, ASSISTED, N_("提交核验")),
    Transition("verify", (S.PENDING,), S.VERIFIED, OPERATOR, N_("核验通过")),
    Transition("return", (S.PENDING,), S.RETURNED, OPERATOR, N_("退回补正"), reason=True),
    Transition("suspend", (S.VERIFIED,), S.SUSPENDED, OPERATOR, N_("暂停资格"), reason=True, danger=True),
    Transition(
        "reinstate", (S.SUSPENDED,), S.VERIFIED, OPERATOR | {Party.SYSTEM}, N_("恢复资格"), reason=True
    ),
    # By the manager of the verified organisation that holds the same code, or by an operator on evidence.
    Transition("claim", (S.UNCLAIMED,), S.MERGED, ASSISTED, N_("认领并入")),
    initial=(S.DRAFT, S.UNCLAIMED),
    labels={
        S.DRAFT: N_("填报中"),
        S.PENDING: N_("待核验"),
        S.RETURNED: N_("退回补正"),
        S.VERIFIED: N_("已核验"),
        S.SUSPENDED: N_("已暂停"),
        S.UNCLAIMED: N_("未认领"),
        S.MERGED: N_("已认领并入"),
    },
    path=(S.DRAFT, S.PENDING, S.VERIFIED),
    detours={S.RETURNED: S.PENDING, S.SUSPENDED: S.VERIFIED},
)

CLAIM = Lifecycle(
    "claim",
    ClaimStatus,
    Transition("accept", (C.OPEN,), C.ACCEPTED, ASSISTED, N_("同意认领")),
    Transition("decline", (C.OPEN,), C.DECLINED, OPERATOR, N_("不予认领"), reason=True, danger=True),
    Transition("withdraw", (C.OPEN,), C.WITHDRAWN, MANAGER, N_("撤回认领")),
    initial=(C.OPEN,),
    labels={
        C.OPEN: N_("待审核"),
        C.ACCEPTED: N_("已认领"),
        C.DECLINED: N_("未通过"),
        C.WITHDRAWN: N_("已撤回"),
    },
    path=(C.OPEN, C.ACCEPTED),
    detours={C.DECLINED: C.ACCEPTED, C.WITHDRAWN: C.OPEN},
)

ENTRY = Lifecycle(
    "assisted_entry",
    EntryStatus,
    Transition("confirm", (E.WAITING,), E.CONFIRMED, MANAGER, N_("确认无误")),
    Transition(
        "object", (E.WAITING, E.CONFIRMED), E.OBJECTED, MANAGER, N_("提出异议"), reason=True, danger=True
    ),
    initial=(E.WAITING,),
    labels={
        E.WAITING: N_("待单位确认"),
        E.CONFIRMED: N_("单位已确认"),
        E.OBJECTED: N_("单位有异议"),
    },
    path=(E.WAITING, E.CONFIRMED),
    detours={E.OBJECTED: E.CONFIRMED},
)
