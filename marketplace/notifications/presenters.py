"""How letters and the wishes about them are shown."""

from dataclasses import dataclass

from flask_babel import gettext

from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.notifications import kinds
from marketplace.notifications.composing import Spoken, spoken
from marketplace.notifications.kinds import GROUPS, Group
from marketplace.notifications.models import Letter, Mailing
from marketplace.notifications.queries import Wish

MAILINGS = {
    Mailing.NOW: N_("立即"),
    Mailing.DAILY: N_("每日汇总"),
    Mailing.WEEKLY: N_("每周汇总"),
    Mailing.OFF: N_("不发邮件"),
}
BOXES = {"unread": N_("未读"), "archived": N_("已归档")}


@dataclass(frozen=True, slots=True)
class Line:
    """One letter in the box."""

    letter: Letter
    said: Spoken
    group: str
    kind: str


def lines(letters: list[Letter]) -> list[Line]:
    return [
        Line(
            letter,
            spoken(letter),
            gettext(GROUPS[kinds.group_of(letter.kind)].label),
            gettext(kinds.label_of(letter.kind)),
        )
        for letter in letters
    ]


@dataclass(frozen=True, slots=True)
class WishRow:
    """One group on the page of wishes; a binding one cannot be changed."""

    group: Group
    label: str
    note: str
    binding: bool
    wish: Wish
    examples: str


def wish_rows(wishes: dict[Group, Wish]) -> list[WishRow]:
    known = kinds.registered()
    return [
        WishRow(
            group,
            gettext(facts.label),
            gettext(facts.note) if facts.note else "",
            facts.binding,
            wishes.get(group, Wish(facts.mailing)),
            listed(dict.fromkeys(gettext(kind.label) for kind in known.values() if kind.group is group)),
        )
        for group, facts in GROUPS.items()
        if group is not Group.OTHER
    ]
