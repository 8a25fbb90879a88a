"""How complete an organisation's own page is, and what to do next: each point leads to where it is mended.

Not here: what verification demands (`rules`). A profile may be verified and still tell a partner too little.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import url_for

from marketplace.kernel.texts import N_
from marketplace.organisations.holdings import Shelf
from marketplace.organisations.kinds import OrganisationKind
from marketplace.organisations.rules import OrganisationDraft

TELLING_SUMMARY = 80


@dataclass(frozen=True, slots=True)
class Point:
    """`label` is a gettext source that says what to add."""

    label: str
    done: bool
    url: str


@dataclass(frozen=True, slots=True)
class Profile:
    points: tuple[Point, ...]

    @property
    def percent(self) -> int:
        return round(100 * sum(point.done for point in self.points) / len(self.points))

    @property
    def missing(self) -> list[Point]:
        return [point for point in self.points if not point.done]


def judge(draft: OrganisationDraft, *, papers: int, certified: bool, posted: int) -> Profile:
    """`papers` of the licence; whether each title is `certified`; how much is `posted` and public."""
    return Profile(tuple(_points(draft, papers=papers, certified=certified, posted=posted)))


def _points(draft: OrganisationDraft, *, papers: int, certified: bool, posted: int) -> Iterator[Point]:
    basics, contact, files = (_step(step) for step in ("basics", "contact", "files"))
    yield Point(N_("填写统一社会信用代码"), bool(draft.uscc), basics)
    yield Point(N_("选择所属产业集群"), bool(draft.clusters), basics)
    yield Point(N_("把单位简介写到 80 字以上"), len(draft.summary) >= TELLING_SUMMARY, basics)
    yield Point(N_("填写网址"), bool(draft.website), basics)
    if draft.kind is OrganisationKind.ENTERPRISE:
        yield Point(N_("确认规模"), draft.size is not None, basics)
        figures = draft.employees is not None and draft.revenue_fen is not None
        yield Point(N_("填写从业人员和营业收入（不公开）"), figures, basics)
    yield Point(N_("填写地区和地址"), bool(draft.region and draft.address), contact)
    reachable = bool(draft.contact_name and draft.contact_phone and draft.contact_email)
    yield Point(N_("填写联系人、电话和邮箱"), reachable, contact)
    yield Point(N_("上传营业执照"), papers > 0, files)
    if draft.designations:
        yield Point(N_("为每项称号上传证书"), certified, files)
    yield Point(N_("发布第一项能力、需求或榜单"), posted > 0, url_for("workbench.home"))


def _step(step: str) -> str:
    return url_for("own_organisation.edit_step", step=step)


def count_posted(shelves: list[Shelf]) -> int:
    return sum(shelf.open_count for shelf in shelves)
