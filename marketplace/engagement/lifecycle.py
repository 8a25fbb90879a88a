"""The lives of an invitation and of an interest: the same moves, from the other side.

The clock ends both: an answer counts only before `expires_at`, whatever the status still says; the status
follows when the sweep writes its letters. So does the end of the posting.
"""

from enum import StrEnum

from marketplace.kernel.lifecycle import Lifecycle, Transition
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_


class ApproachStatus(StrEnum):
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ENDED = "ended"


S = ApproachStatus
SENDER, RECIPIENT, SYSTEM = (
    frozenset({Party.SENDER}),
    frozenset({Party.RECIPIENT}),
    frozenset({Party.SYSTEM}),
)
DETOURS: dict[StrEnum, StrEnum] = dict.fromkeys((S.DECLINED, S.WITHDRAWN, S.EXPIRED, S.ENDED), S.ACCEPTED)


def _life(thing: str, *, accept: str, decline: str, withdraw: str) -> Lifecycle:
    return Lifecycle(
        thing,
        ApproachStatus,
        Transition("accept", (S.SENT,), S.ACCEPTED, RECIPIENT, accept),
        Transition("decline", (S.SENT,), S.DECLINED, RECIPIENT, decline, reason=True, danger=True),
        Transition("withdraw", (S.SENT,), S.WITHDRAWN, SENDER, withdraw, danger=True),
        Transition("expire", (S.SENT,), S.EXPIRED, SYSTEM, N_("逾期未答复")),
        Transition("end", (S.SENT,), S.ENDED, SYSTEM, N_("随发布物终止")),
        initial=(S.SENT,),
        labels={
            S.SENT: N_("待答复"),
            S.ACCEPTED: N_("已同意"),
            S.DECLINED: N_("已谢绝"),
            S.WITHDRAWN: N_("已撤回"),
            S.EXPIRED: N_("已过期"),
            S.ENDED: N_("已终止"),
        },
        path=(S.SENT, S.ACCEPTED),
        detours=DETOURS,
    )


INVITATION = _life("invitation", accept=N_("接受邀请"), decline=N_("谢绝邀请"), withdraw=N_("撤回邀请"))
INTEREST = _life("interest", accept=N_("同意对接"), decline=N_("谢绝意向"), withdraw=N_("撤回意向"))
