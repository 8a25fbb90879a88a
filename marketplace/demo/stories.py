"""Who does what, and when: each story is one thing's life so far, told through the features' own services.

A story is a generator. It yields the instant at which it goes on and is resumed with it, so that all
stories together are told in the order of time: numbers, audit rows and letters come out as if lived.
Not here: what the texts say (`content`), who the people are (`cast`), transactions (`loader`).
"""

import hashlib
import heapq
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from marketplace.announcements import services as announcements
from marketplace.announcements.rules import AnnouncementDraft
from marketplace.attachments import services as files
from marketplace.capabilities import services as capabilities
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.challenges import queries as challenge_queries
from marketplace.challenges import services as challenges
from marketplace.challenges.models import Challenge
from marketplace.challenges.rules import ChallengeDraft
from marketplace.demo.accounts import Account, manager_address
from marketplace.demo.cast import Cast
from marketplace.demo.content import (
    CapabilityEntry,
    ChallengeEntry,
    NeedEntry,
    NeedListEntry,
    OrganisationEntry,
)
from marketplace.demo.papers import sample_scan
from marketplace.identity.services import PLACE_IN_PATH
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.dates import SHANGHAI, business_date
from marketplace.needs import services as needs
from marketplace.needs.lifecycle import NeedStatus
from marketplace.notifications.services import mark_read
from marketplace.organisations import services as organisations
from marketplace.organisations.kinds import OrganisationKind
from marketplace.organisations.licences import LICENCE
from marketplace.organisations.lifecycle import OrganisationStatus as S
from marketplace.organisations.members import invitations
from marketplace.organisations.members import services as members
from marketplace.organisations.queries import actor_for, get_organisation
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy import sheets
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.services import Edition, take_over

Story = Generator[datetime, datetime, None]

SATURDAY = 5
SAMPLE_CHAIN = Path(__file__).parent / "chain.csv"


def tell(stories: Sequence[Story], *, report: Callable[[int, int], None]) -> None:
    """Tell all stories in the order of time; within one, nothing happens before what came before it.

    `report` gets how many stories have ended, of how many.
    """
    waiting: list[tuple[datetime, int, Story]] = []
    for number, story in enumerate(stories):
        heapq.heappush(waiting, (next(story), number, story))
    report(0, len(stories))
    while waiting:
        moment, number, story = heapq.heappop(waiting)
        try:
            following = story.send(moment)
        except StopIteration:
            report(len(stories) - len(waiting), len(stories))
            continue
        heapq.heappush(waiting, (max(following, moment + timedelta(minutes=3)), number, story))


class Calendar:
    """Instants in the working hours before the day of loading; the same ones on every load of that day."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def ago(self, days: int, key: str) -> datetime:
        """A moment on the last working day that is at least `days` days past; at most now."""
        day = business_date(self.now) - timedelta(days=days)
        while day.weekday() >= SATURDAY:
            day -= timedelta(days=1)
        minute = spread(f"{key}@{days}", 9 * 60, 17 * 60 + 30)
        moment = datetime.combine(day, time(minute // 60, minute % 60), SHANGHAI).astimezone(UTC)
        return min(moment, self.now - timedelta(hours=1))


def spread(key: str, least: int, most: int) -> int:
    """A number from `least` to `most` that depends on `key` alone."""
    digest = hashlib.sha256(key.encode()).digest()
    return least + int.from_bytes(digest[:4], "big") % (most - least + 1)


# --- the platform and its organisations -------------------------------------------------------------------

FOUNDED_DAYS_AGO = 430


def platform_account(account: Account, cast: Cast, calendar: Calendar) -> Story:
    now = yield calendar.ago(FOUNDED_DAYS_AGO, account.email)
    cast.enter(account, now=now)


def sample_chain(cast: Cast, calendar: Calendar) -> Story:
    """An invented chain, marked as a sample, so that postings have links to stand on."""
    now = yield calendar.ago(FOUNDED_DAYS_AGO - 5, "chain")
    standing = sheets.write(taxonomy.read_for_export(Scheme.CHAIN))
    _header, _, lines = SAMPLE_CHAIN.read_text(encoding="utf-8").partition("\n")
    newest = taxonomy.find_newest_version(Scheme.CHAIN)
    edition = Edition(
        number="示例-1",
        reason="演示用：导入一条自编的示例产业链，不是任何部门公布的名单",
        source="示例，平台自编",
        valid_from=max(business_date(now), newest.valid_from) if newest else business_date(now),
    )
    take_over(Scheme.CHAIN, standing + lines, edition, by=cast.maintainer(now), now=now)


def organisation(entry: OrganisationEntry, cast: Cast, calendar: Calendar) -> Story:
    key, state = entry.key, entry.state
    # What is not verified yet came lately; whoever posts has been here for longer than any posting.
    ages = {S.DRAFT: 4, S.PENDING: 3, S.RETURNED: 8, S.UNCLAIMED: 60}
    age = ages.get(state) or spread(key, 150, 400)
    now = yield calendar.ago(age, key)
    if state is S.UNCLAIMED:
        kind = entry.draft.kind or OrganisationKind.ENTERPRISE
        organisations.create_unclaimed(
            entry.draft.name, by=cast.operator(now), now=now, region=entry.draft.region, kind=kind
        )
        return
    manager = Account(manager_address(key), entry.draft.contact_name, "", organisation=key)
    cast.enter(manager, phone=entry.draft.contact_phone, now=now)
    now = yield now + timedelta(minutes=spread(key, 5, 40))
    thing = organisations.start_registration(entry.draft, by=cast.manager(key, now), now=now)
    if state is S.DRAFT:
        return
    now = yield calendar.ago(age - 1, key)
    hand_in_licence(thing.id, by=cast.manager(key, now), now=now)
    organisations.submit_organisation(thing, by=cast.manager(key, now), now=now)
    if state is S.PENDING:
        return
    now = yield calendar.ago(age - spread(key, 2, 4), key)
    if state is S.RETURNED:
        organisations.return_organisation(
            thing, reason=entry.reason, version=thing.version, by=cast.operator(now), now=now
        )
        return
    declared = [designation.id for designation in thing.designations]
    organisations.verify_organisation(
        thing, confirmed=declared, version=thing.version, by=cast.operator(now), now=now
    )
    if state is S.SUSPENDED:
        now = yield calendar.ago(12, key)
        organisations.suspend_organisation(
            thing, reason=entry.reason, version=thing.version, by=cast.operator(now), now=now
        )


def hand_in_licence(organisation_id: int, *, by: Actor, now: datetime) -> None:
    uploads = files.take_in([sample_scan("营业执照（样张）.png")], purpose=LICENCE)
    files.attach("organisation", organisation_id, LICENCE.name, uploads, by=by, now=now)


def colleague(account: Account, cast: Cast, calendar: Calendar, *, days_ago: int, accepted: bool) -> Story:
    """A second person of an organisation asks to join it."""
    now = yield calendar.ago(days_ago, account.email)
    user = cast.enter(account, now=now)
    manager = cast.manager(account.organisation, now)
    thing = get_organisation(manager.organisation_id or 0, viewer=manager)
    asked = members.request_to_join(
        thing, role=account.organisation_role, by=actor_for(user, now=now), now=now
    )
    if accepted:
        now = yield now + timedelta(hours=1)
        manager = cast.manager(account.organisation, now)
        members.accept_member(asked, role=account.organisation_role, by=manager, now=now)


def second_firm(cast: Cast, calendar: Calendar, *, of: str, joins: str, invited: str) -> Story:
    """The editor of one firm also reads for another, whose manager has invited somebody else since."""
    now = yield calendar.ago(90, joins)
    manager, person = cast.manager(joins, now), cast.editor(of, now)
    thing = get_organisation(manager.organisation_id or 0, viewer=manager)
    asked = members.request_to_join(thing, role=OrganisationRole.READER, by=person, now=now)
    members.accept_member(asked, role=OrganisationRole.READER, by=manager, now=now)
    now = yield calendar.ago(2, invited)
    manager = cast.manager(joins, now)
    path = f"/invitations/{PLACE_IN_PATH}"
    invitations.invite(thing, invited, OrganisationRole.EDITOR, path=path, by=manager, now=now)


def reading(cast: Cast, calendar: Calendar) -> Story:
    """Everybody has read what came before the last days."""
    now = yield calendar.ago(6, "reading")
    for user in cast.everybody:
        mark_read(user.id, now=now)


# --- capabilities -----------------------------------------------------------------------------------------

# Every so many is published with gaps first and completed later.
REVISED_IN = 7


def capability(entry: CapabilityEntry, cast: Cast, calendar: Calendar) -> Story:
    key, owner = entry.key, entry.organisation
    ended = entry.state in (CapabilityStatus.WITHDRAWN, CapabilityStatus.TAKEN_DOWN)
    age = spread(key, 45 if ended else 6, 130)
    if entry.state is CapabilityStatus.DRAFT:
        now = yield calendar.ago(spread(key, 1, 2), key)
        capabilities.start_draft(entry.draft, by=cast.manager(owner, now), now=now)
        return
    gaps = _with_gaps(entry) if spread(f"{key} gaps", 1, REVISED_IN) == 1 else entry.draft
    now = yield calendar.ago(age + spread(f"{key} draft", 0, 3), key)
    thing = capabilities.start_draft(gaps, by=cast.manager(owner, now), now=now)
    now = yield calendar.ago(age, key)
    capabilities.publish(thing, by=cast.manager(owner, now), now=now)
    if gaps != entry.draft:
        now = yield calendar.ago(age // 2, key)
        capabilities.revise(thing, entry.draft, version=thing.version, by=cast.manager(owner, now), now=now)
    if ended:
        yield from _end_capability(thing, entry, cast, calendar)


def _with_gaps(entry: CapabilityEntry) -> CapabilityDraft:
    return replace(entry.draft, certificates=(), parameters=entry.draft.parameters[:1])


def _end_capability(thing: Capability, entry: CapabilityEntry, cast: Cast, calendar: Calendar) -> Story:
    now = yield calendar.ago(spread(f"{entry.key} end", 20, 28), entry.key)
    if entry.state is CapabilityStatus.WITHDRAWN:
        capabilities.withdraw(thing, reason=entry.reason, by=cast.manager(entry.organisation, now), now=now)
    else:
        capabilities.take_down(thing, reason=entry.reason, by=cast.operator(now), now=now)


# --- lists of needs -----------------------------------------------------------------------------------------


def need_list(entry: NeedListEntry, cast: Cast, calendar: Calendar) -> Story:
    """One list with its lines, put up together and then living each by itself."""
    owner = entry.organisation
    age = max(_age_of_need(line, calendar) for line in entry.needs)
    now = yield calendar.ago(age + 2, entry.key)
    opened = needs.open_list(title=entry.title, note=entry.note, by=cast.manager(owner, now), now=now)
    things = {}
    for line in entry.needs:
        now = yield calendar.ago(age + 1, line.key)
        things[line.key] = needs.start_draft(opened, line.draft, by=cast.manager(owner, now), now=now)
    for line in sorted(entry.needs, key=lambda one: -_age_of_need(one, calendar)):
        if line.state is not NeedStatus.DRAFT:
            now = yield calendar.ago(_age_of_need(line, calendar), entry.key)
            needs.publish(things[line.key], by=cast.manager(owner, now), now=now)
    for line in entry.needs:
        if line.state is NeedStatus.WITHDRAWN:
            now = yield calendar.ago(3, line.key)
            needs.withdraw(things[line.key], reason=line.reason, by=cast.manager(owner, now), now=now)
        elif line.state is NeedStatus.TAKEN_DOWN:
            now = yield calendar.ago(2, line.key)
            needs.take_down(things[line.key], reason=line.reason, by=cast.operator(now), now=now)


def _age_of_need(line: NeedEntry, calendar: Calendar) -> int:
    """For how many days a line has been public; long enough ago to have run out, where it has."""
    assert line.draft.valid_until is not None
    left = (line.draft.valid_until - business_date(calendar.now)).days
    return spread(line.key, 5, 50) if left >= 0 else 30 - left


# --- challenges -------------------------------------------------------------------------------------------

# What a story counts back from where nothing was published yet, so that the last step was lately.
NOT_YET_PUBLIC = {"draft": -4, "submitted": -2, "returned": 1}
# Every so many comes back once before it is published.
RETURNED_IN = 6
RETURN_ONCE = "指标的试验条件写得过于笼统，请写明工况和取样位置后重新提交。"


def challenge(entry: ChallengeEntry, cast: Cast, calendar: Calendar) -> Story:
    key, owner = entry.key, entry.organisation
    age = _age_of_challenge(entry, calendar)
    now = yield calendar.ago(age + spread(key, 6, 10), key)
    started = ChallengeDraft(title=entry.draft.title, clusters=entry.draft.clusters)
    number = challenges.start_draft(started, by=cast.editor(owner, now), now=now).public_no

    def read(viewer: Actor) -> Challenge:
        return challenge_queries.get_challenge(number, viewer=viewer)

    now = yield calendar.ago(age + 5, key)
    editor = cast.editor(owner, now)
    thing = read(editor)
    challenges.edit_draft(thing, entry.draft, version=thing.version, by=editor, now=now)
    if entry.annex:
        now = yield now + timedelta(minutes=20)
        challenges.write_annex(
            thing, entry.annex, version=thing.version, by=cast.manager(owner, now), now=now
        )
    if entry.state == "draft":
        return
    now = yield calendar.ago(age + 4, key)
    challenges.submit(read(editor), by=editor, now=now)
    if entry.state == "submitted":
        return
    if entry.state == "returned":
        now = yield calendar.ago(age + 1, key)
        challenges.return_to_seeker(
            read(cast.operator(now)),
            reason=entry.reason,
            field_reasons=entry.return_reasons,
            by=cast.operator(now),
            now=now,
        )
        return
    if spread(f"{key} returned", 1, RETURNED_IN) == 1:
        now = yield calendar.ago(age + 3, key)
        challenges.return_to_seeker(
            read(cast.operator(now)), reason=RETURN_ONCE, field_reasons={}, by=cast.operator(now), now=now
        )
        now = yield calendar.ago(age + 2, key)
        challenges.submit(read(editor), by=editor, now=now)
    now = yield calendar.ago(age, key)
    challenges.approve(read(cast.operator(now)), by=cast.operator(now), now=now)
    if entry.state == "withdrawn":
        now = yield calendar.ago(9, key)
        owner_manager = cast.manager(owner, now)
        challenges.withdraw(read(owner_manager), reason=entry.reason, by=owner_manager, now=now)


def _age_of_challenge(entry: ChallengeEntry, calendar: Calendar) -> int:
    """For how many days it has been public, or is to be thought of as lying there."""
    assert entry.draft.closes_on is not None
    left = (entry.draft.closes_on - business_date(calendar.now)).days
    if left < 0:
        return 35 - left
    if entry.state in NOT_YET_PUBLIC:
        return NOT_YET_PUBLIC[entry.state]
    return spread(entry.key, 15 if entry.state == "withdrawn" else 3, 58)


# --- announcements ----------------------------------------------------------------------------------------

ANNOUNCEMENTS = (
    (
        60,
        "notice",
        True,
        "关于征集第二批制造业揭榜挂帅需求的通知",
        (
            "各有关单位：\n\n现面向已核验的领军企业和链主企业征集第二批揭榜挂帅需求。请在工作台新建榜单，"
            "把要达到的结果写成可量化的考核指标，并写明试验方法和验证方。\n\n"
            "榜单经平台审核后公开，揭榜期不少于 7 天。填写办法见“怎样发榜”。"
        ),
    ),
    (
        21,
        "service",
        False,
        "供需清单支持按行续期",
        (
            "供需清单的每一行到期前 7 天，平台会写信提醒。打开该行页面按“续期”即可延长 90 天，"
            "到期以后也可以续；规格有变的请用“修改”，修订前后的差异会留在版本记录里。"
        ),
    ),
    (
        5,
        "policy",
        False,
        "中小企业揭榜的几点说明",
        (
            "一、标明“仅限中小企业”的榜单，独立揭榜的应为中小企业，联合体的牵头单位应为中小企业。\n\n"
            "二、划型依据《中小企业划型标准规定》，以单位资料中填报并经核验的规模为准。\n\n"
            "三、高校、院所和检测机构可作为联合体成员参加。"
        ),
    ),
)


def announcement(
    days_ago: int, category: str, pinned: bool, title: str, body: str, cast: Cast, calendar: Calendar
) -> Story:
    """The operator drafts, publishes and perhaps pins what everybody should know."""
    now = yield calendar.ago(days_ago, title)
    operator = cast.operator(now)
    draft = AnnouncementDraft(title=title, category=category, body=body)
    made = announcements.start_draft(draft, by=operator, now=now)
    now = yield now + timedelta(hours=2)
    announcements.publish(made, by=operator, now=now)
    if pinned:
        announcements.pin(made, by=operator, now=now)
