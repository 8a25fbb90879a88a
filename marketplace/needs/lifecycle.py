"""The life of a supply need. Expiry is asked of the clock and is no status."""

from enum import StrEnum

from marketplace.kernel.lifecycle import Lifecycle, Transition
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_


class NeedStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    TAKEN_DOWN = "taken_down"
    SUBMITTED = "submitted"
    COLLECTED = "collected"


S = NeedStatus
EDITOR, OPERATOR = frozenset({Party.EDITOR}), frozenset({Party.OPERATOR})

LIFECYCLE = Lifecycle(
    "need",
    NeedStatus,
    Transition("edit", (S.DRAFT,), S.DRAFT, EDITOR, N_("修改")),
    Transition("edit", (S.TAKEN_DOWN,), S.TAKEN_DOWN, EDITOR, N_("修改")),
    Transition("revise", (S.PUBLISHED,), S.PUBLISHED, EDITOR, N_("修订")),
    Transition("publish", (S.DRAFT,), S.PUBLISHED, EDITOR, N_("发布")),
    Transition("renew", (S.PUBLISHED,), S.PUBLISHED, EDITOR, N_("续期")),
    Transition("withdraw", (S.PUBLISHED,), S.WITHDRAWN, EDITOR, N_("撤回"), reason=True, danger=True),
    Transition("take_down", (S.PUBLISHED,), S.TAKEN_DOWN, OPERATOR, N_("下架"), reason=True, danger=True),
    Transition("appeal", (S.TAKEN_DOWN,), S.SUBMITTED, EDITOR, N_("申请恢复"), reason=True),
    Transition("restore", (S.SUBMITTED,), S.PUBLISHED, OPERATOR, N_("恢复发布")),
    Transition("reject", (S.SUBMITTED,), S.TAKEN_DOWN, OPERATOR, N_("不予恢复"), reason=True, danger=True),
    initial=(S.DRAFT, S.COLLECTED),
    labels={
        S.DRAFT: N_("草稿"),
        S.PUBLISHED: N_("已发布"),
        S.WITHDRAWN: N_("已撤回"),
        S.TAKEN_DOWN: N_("已下架"),
        S.SUBMITTED: N_("待复核"),
        S.COLLECTED: N_("收录"),
    },
    path=(S.DRAFT, S.PUBLISHED),
    detours={S.WITHDRAWN: S.PUBLISHED, S.TAKEN_DOWN: S.PUBLISHED, S.SUBMITTED: S.PUBLISHED},
)
