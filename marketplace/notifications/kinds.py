"""What letters there are, in groups that people can set. Features register their kinds in `wiring.py`.

A kind is "feature.event". One that nobody registered is always delivered, in the site and by mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from marketplace.kernel.texts import N_
from marketplace.notifications.models import Mailing


class Group(StrEnum):
    SECURITY = "security"
    BINDING = "binding"
    WORK = "work"
    MATCHING = "matching"
    POSTINGS = "postings"
    SEARCH = "search"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """`label` and `note` are gettext sources. What is binding lies in the site and is mailed at once."""

    label: str
    note: str
    binding: bool = False
    mailing: Mailing = Mailing.NOW


GROUPS: Mapping[Group, GroupFacts] = {
    Group.SECURITY: GroupFacts(N_("账号与安全"), N_("登录、密码、两步验证和邮箱的变动"), binding=True),
    Group.BINDING: GroupFacts(
        N_("核验与审核结果"), N_("对本单位和所发布内容作出的决定，涉及期限和权利"), binding=True
    ),
    Group.WORK: GroupFacts(N_("待办提醒"), N_("有事项等待处理，例如加入申请和待审核的内容")),
    Group.MATCHING: GroupFacts(N_("对接往来"), N_("邀请、意向、答复和即将过期的提醒")),
    Group.POSTINGS: GroupFacts(N_("发布与到期"), N_("榜单、需求、能力和证书的期限")),
    Group.SEARCH: GroupFacts(N_("订阅检索"), N_("保存的检索有新结果")),
    Group.OTHER: GroupFacts(N_("其他通知"), "", binding=True),
}


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    label: str
    group: Group


_kinds: dict[str, Kind] = {}


def register(kind: str, label: str, group: Group | str) -> None:
    """Name one kind of letter; `label` is a gettext source."""
    _kinds[kind] = Kind(kind, label, Group(group))


def register_all(group: Group | str, labels: Mapping[str, str]) -> None:
    for kind, label in labels.items():
        register(kind, label, group)


def registered() -> Mapping[str, Kind]:
    return dict(_kinds)


def group_of(kind: str) -> Group:
    found = _kinds.get(kind)
    return found.group if found else Group.OTHER


def label_of(kind: str) -> str:
    """The kind's label, a gettext source; of an unknown one that of its group."""
    found = _kinds.get(kind)
    return found.label if found else GROUPS[Group.OTHER].label


def kinds_in(group: Group) -> list[str]:
    return sorted(kind.name for kind in _kinds.values() if kind.group is group)


def settable() -> list[Group]:
    """The groups that a person may have otherwise."""
    return [group for group, facts in GROUPS.items() if not facts.binding]
