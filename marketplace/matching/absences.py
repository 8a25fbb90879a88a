"""Why one's own capabilities are not on a shortlist, by stored facts alone; nothing of anybody else's.

The conditions are those of the seeker's public document. Whether a text falls short or a score lies behind
the last place cannot be told apart once a list is full: `flask match why` asks the engine. Not here: the
explanation of a place (`explanations`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from marketplace.capabilities import queries as capabilities
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.matching import queries, sources
from marketplace.matching.engine.documents import Conditions, Matchable
from marketplace.matching.engine.eligibility import Exclusion, exclusion
from marketplace.matching.models import MatchRun, PostingKind
from marketplace.organisations.kinds import DESIGNATION_NAMES, KIND_NAMES, SIZE_NAMES
from marketplace.organisations.presenters import designation_name
from marketplace.taxonomy import queries as taxonomy

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Absence:
    """One own capability: its place, or why it has none."""

    public_no: str
    title: str
    place: int | None
    text: str


def _(message: str, **values: Any) -> str:
    return str(gettext(message, **values))


def list_for(run: MatchRun, own: Sequence[Any], organisation: Any, *, now: datetime) -> list[Absence]:
    """Each of `own`, all of one organisation and public, in their order."""
    ids = [capability.id for capability in own]
    seeker = Matchable.from_dict(queries.get_document(run.document_id))
    documents = {one.id: one for one in sources.read(PostingKind.CAPABILITY, ids, now=now)}
    places = queries.list_places_by_capability(run.id, ids)
    ranked = queries.list_versions_in_force(ids)
    is_full = queries.count_entries(run.id) >= queries.PLACES
    found = []
    for capability in own:
        place = places.get(capability.id)
        text = ""
        if place is None:
            document = documents[capability.id]
            reason = exclusion(seeker, document, now=now)
            if reason is not None:
                text = reason_text(reason, seeker, document, organisation, now=now)
            elif ranked.get(capability.id) != capability.version:
                text = _("刚发布或修订，正在匹配，通常只需几秒")
            elif is_full:
                text = _("符合条件，但没有进入前 %(places)s 名", places=queries.PLACES)
            else:
                text = _("符合条件，但文字与需求相符太少，未达到列入名单的门槛")
        found.append(Absence(capability.public_no, capability.title, place, text))
    return sorted(found, key=lambda one: (one.place is None, one.place or 0))


def reason_text(
    reason: Exclusion, seeker: Matchable, capability: Matchable, organisation: Any, *, now: datetime
) -> str:
    """A reason with the facts on both sides, and what could be done."""
    asked = seeker.conditions
    if reason is Exclusion.KIND:
        kinds = listed(_(KIND_NAMES[kind]) for kind in KIND_NAMES if kind in asked.kinds)
        return _("对方只接受%(kinds)s", kinds=kinds)
    if reason is Exclusion.SIZE:
        sizes = listed(_(SIZE_NAMES[size]) for size in SIZE_NAMES if size in asked.sizes)
        if not capability.organisation_size:
            return _("对方只接受%(sizes)s企业；本单位没有注明规模，请补全单位资料", sizes=sizes)
        return _("对方只接受%(sizes)s企业", sizes=sizes)
    if reason is Exclusion.DESIGNATION:
        return _designation_text(asked, organisation, now=now)
    if reason is Exclusion.REGION:
        regions = listed(map(taxonomy.region_name, asked.regions))
        if not capability.region:
            return _("对方只接受%(regions)s的单位；能力没有注明所在地，请补全", regions=regions)
        return _("对方只接受%(regions)s的单位", regions=regions)
    if reason is Exclusion.UNVERIFIED and asked.verified_only:
        return _("对方只接受已核验的单位；请先完成单位核验")
    return _(_PLAIN[reason])


_PLAIN = {
    Exclusion.OWN: N_("这是本单位自己发布的"),
    Exclusion.INACTIVE: N_("能力已下架，或单位资格已暂停"),
    Exclusion.EXPIRED: N_("能力已过有效期"),
    Exclusion.UNVERIFIED: N_("单位还没有通过核验；请先完成单位核验"),
}


def _designation_text(asked: Conditions, organisation: Any, *, now: datetime) -> str:
    """Which titles are asked for, and why one that was declared does not count."""
    wanted = listed(_(DESIGNATION_NAMES[kind]) for kind in DESIGNATION_NAMES if kind in asked.designations)
    text = _("对方要求具备称号：%(wanted)s", wanted=wanted)
    today = business_date(now)
    for row in organisation.designations:
        if row.kind.value not in asked.designations:
            continue
        name = designation_name(row.kind)
        if row.valid_to is not None and row.valid_to < today:
            return text + _(
                "；本单位的%(name)s证书已于 %(day)s 到期，请更新", name=name, day=row.valid_to.isoformat()
            )
        return text + _("；本单位申报的%(name)s还没有核对", name=name)
    return text + _("；本单位没有申报")


def list_own_public(actor: Actor) -> list[Any]:
    """The public capabilities of the actor's organisation, newest change first."""
    own = capabilities.list_own(actor)
    return [one for one in own if one.status in capabilities.PUBLIC][:MOST_SHOWN]
