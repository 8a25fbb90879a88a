"""The life of an announcement (通知公告). Pinned is a mark of what is published, and no status."""

from enum import StrEnum

from marketplace.kernel.lifecycle import Lifecycle, Transition
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_


class AnnouncementStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


S = AnnouncementStatus
OPERATOR = frozenset({Party.OPERATOR})

LIFECYCLE = Lifecycle(
    "announcement",
    AnnouncementStatus,
    Transition("edit", (S.DRAFT,), S.DRAFT, OPERATOR, N_("修改")),
    Transition("revise", (S.PUBLISHED,), S.PUBLISHED, OPERATOR, N_("修订")),
    Transition("publish", (S.DRAFT,), S.PUBLISHED, OPERATOR, N_("发布")),
    Transition("pin", (S.PUBLISHED,), S.PUBLISHED, OPERATOR, N_("置顶")),
    Transition("unpin", (S.PUBLISHED,), S.PUBLISHED, OPERATOR, N_("取消置顶")),
    Transition("withdraw", (S.PUBLISHED,), S.WITHDRAWN, OPERATOR, N_("撤回"), reason=True, danger=True),
    initial=(S.DRAFT,),
    labels={S.DRAFT: N_("草稿"), S.PUBLISHED: N_("已发布"), S.WITHDRAWN: N_("已撤回")},
    path=(S.DRAFT, S.PUBLISHED),
    detours={S.WITHDRAWN: S.PUBLISHED},
)
