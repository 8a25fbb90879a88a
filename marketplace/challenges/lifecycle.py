"""The life of a challenge (榜单). "Closed" is asked of the clock and is no status."""

from enum import StrEnum

from marketplace.kernel.lifecycle import Lifecycle, Transition
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_


class ChallengeStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    TAKEN_DOWN = "taken_down"
    COLLECTED = "collected"


S = ChallengeStatus
EDITOR, MANAGER, OPERATOR = (
    frozenset({Party.EDITOR}),
    frozenset({Party.MANAGER}),
    frozenset({Party.OPERATOR}),
)

LIFECYCLE = Lifecycle(
    "challenge",
    ChallengeStatus,
    Transition("edit", (S.DRAFT,), S.DRAFT, EDITOR, N_("修改")),
    Transition("edit", (S.RETURNED,), S.RETURNED, EDITOR, N_("修改")),
    Transition("edit", (S.TAKEN_DOWN,), S.TAKEN_DOWN, EDITOR, N_("修改")),
    Transition("submit", (S.DRAFT, S.RETURNED, S.TAKEN_DOWN), S.SUBMITTED, EDITOR, N_("提交审核")),
    Transition("return", (S.SUBMITTED,), S.RETURNED, OPERATOR, N_("退回修改"), reason=True),
    Transition("approve", (S.SUBMITTED,), S.PUBLISHED, OPERATOR, N_("审核通过并发榜")),
    Transition("extend", (S.PUBLISHED,), S.PUBLISHED, MANAGER, N_("延长揭榜期"), reason=True),
    Transition("close_early", (S.PUBLISHED,), S.PUBLISHED, MANAGER, N_("提前截止"), reason=True, danger=True),
    Transition("take_down", (S.PUBLISHED,), S.TAKEN_DOWN, OPERATOR, N_("下架"), reason=True, danger=True),
    Transition("withdraw", (S.PUBLISHED,), S.WITHDRAWN, MANAGER, N_("撤榜"), reason=True, danger=True),
    initial=(S.DRAFT, S.COLLECTED),
    labels={
        S.DRAFT: N_("草稿"),
        S.SUBMITTED: N_("待审核"),
        S.RETURNED: N_("退回修改"),
        S.PUBLISHED: N_("揭榜中"),
        S.WITHDRAWN: N_("已撤榜"),
        S.TAKEN_DOWN: N_("已下架"),
        S.COLLECTED: N_("收录"),
    },
    path=(S.DRAFT, S.SUBMITTED, S.PUBLISHED),
    detours={S.RETURNED: S.SUBMITTED, S.WITHDRAWN: S.PUBLISHED, S.TAKEN_DOWN: S.PUBLISHED},
)
