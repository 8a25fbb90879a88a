"""Proposing a consortium for a challenge: who is on its shortlist, what each proves, and under which rules.

The candidates are the organisations behind a shortlist, each with the best evidence of all its capabilities
there. Everything is read from what the ranking stored, so no engine is needed and every quotation is one of
public text. Nothing is written: a proposal is advice, and changes with the wishes it is asked with. Not here:
what counts as evidence (`assembly_evidence`), which set is best (`engine.assembly`), how it is put in words
(`assembly_presenters`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import select

from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge
from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.matching import queries, settings
from marketplace.matching.assembly_evidence import Asked, Finding, Listed, Proof, gather
from marketplace.matching.engine.assembly import assemble
from marketplace.matching.engine.consortia import Assembly, Candidate, Evidence, Item, Requirement, Rules
from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.weights import MICRO, Weights
from marketplace.matching.models import MatchRun, PostingKind
from marketplace.organisations.models import Organisation
from marketplace.postings.matchable import SME_SIZES

MOST_PINNED, MOST_EXCLUDED = 10, 50
#: What somebody waiting for a page is kept waiting for at most; the command takes its time.
SECONDS_FOR_A_PAGE = 2.0

#: Kinds that may be asked for: at least one member must be of one of them.
REQUIRABLE: Mapping[str, frozenset[str]] = {
    "research": frozenset({"university", "institute"}),
    "university": frozenset({"university"}),
    "institute": frozenset({"institute"}),
    "service": frozenset({"service"}),
    "enterprise": frozenset({"enterprise"}),
}

_BRANCH = re.compile(
    r"(.{2,}(?:公司|集团|大学|学院|研究院|研究所))\S{0,12}?(?:分公司|分院|分所|分部|分中心|分校)"
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner adds to the challenge's rules. `partners` None means as many as the challenge admits."""

    partners: int | None = None
    pinned: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A capability's place on the shortlist."""

    place: int
    score: int  # millionths of a point
    public_no: str
    title: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A proof with the capability it is taken from."""

    proof: Proof
    place: Place


@dataclass(frozen=True)
class Pool:
    """Everybody on a shortlist, and what the seeker asks to be covered."""

    seeker: Matchable
    organisations: Mapping[int, Any]
    places: Mapping[int, Sequence[Place]]  # by organisation, best first
    asked: Sequence[Asked]
    proofs: Mapping[int, Mapping[str, Shown]]  # by organisation and key, the best of each
    run: MatchRun | None

    @cached_property
    def capabilities(self) -> int:
        """How many capabilities were looked at."""
        return sum(len(places) for places in self.places.values())


@dataclass(frozen=True, slots=True)
class Proposed:
    """An answer with all that is needed to read it. `strangers` are wished for and not on the shortlist."""

    pool: Pool
    rules: Rules
    limit: int
    assembly: Assembly
    strangers: tuple[int, ...]


# --- rules ------------------------------------------------------------------------------------------------


def most_partners(challenge: Challenge) -> int:
    """How many members beside the lead the challenge admits."""
    return challenge.max_members if challenge.consortium_allowed else 0


def obstacles(challenge: Challenge, wishes: Wishes) -> list[Obstacle]:
    """What is wrong with wishes before anybody is asked."""
    found = []
    limit = most_partners(challenge)
    if wishes.partners is not None and not 0 <= wishes.partners <= limit:
        found.append(Obstacle("partners", N_("成员（不含牵头单位）可为 0 至 %(limit)s 家"), {"limit": limit}))
    if len(wishes.pinned) > MOST_PINNED:
        found.append(Obstacle("pin", N_("最多指定 %(limit)s 家"), {"limit": MOST_PINNED}))
    if len(wishes.excluded) > MOST_EXCLUDED:
        found.append(Obstacle("exclude", N_("最多排除 %(limit)s 家"), {"limit": MOST_EXCLUDED}))
    if unknown := [name for name in wishes.required if name not in REQUIRABLE]:
        found.append(Obstacle("need", N_("没有这一类单位：%(name)s"), {"name": unknown[0][:20]}))
    return found


def relations(organisation: Organisation) -> frozenset[str]:
    """What makes two entries one party, as far as the data tells: one code, one name, or a branch's name.

    Shareholders and legal representatives are not known here.
    """
    found = {f"name:{organisation.name_key}"}
    if organisation.uscc:
        found.add(f"code:{organisation.uscc}")
    if branch := _BRANCH.fullmatch(organisation.name_key):
        found.add(f"name:{branch[1]}")
    return frozenset(found)


def _rules(challenge: Challenge, wishes: Wishes, known: Iterable[int]) -> Rules:
    listed = set(known)
    lead: tuple[frozenset[str], ...] = ()
    if challenge.sme_only:
        lead = (frozenset({"enterprise"}), frozenset(f"size:{size}" for size in SME_SIZES))
    limit = most_partners(challenge)
    own = db.session.get_one(Organisation, challenge.organisation_id)
    return Rules(
        partners=limit if wishes.partners is None else wishes.partners,
        lead=lead,
        required=tuple(Requirement(name, REQUIRABLE[name]) for name in dict.fromkeys(wishes.required)),
        pinned=frozenset(wishes.pinned) & listed,
        excluded=frozenset(wishes.excluded) & listed,
        barred=relations(own),
    )


# --- who is asked -----------------------------------------------------------------------------------------


def read_pool(run: MatchRun) -> Pool:
    """Everybody on a stored shortlist, by the reasons stored with it."""
    lines = queries.list_lines(run.id)
    texts = queries.read_texts(run, [line.entry for line in lines])
    listed = []
    for line in lines:
        content, reasons = texts.get(line.entry.capability_id), line.entry.reasons
        findings = tuple(
            Finding(one["verdict"], one["quote"], one["offered"], one["conversion"])
            for one in reasons.get("indicators", ())
        )
        document = Matchable.from_dict(content) if content else Matchable(Kind.CAPABILITY, line.capability.id)
        place = Place(
            line.entry.place,
            round(line.entry.score * MICRO),
            line.capability.public_no,
            line.capability.title,
        )
        listed.append((line.organisation, place, Listed(document, reasons["agreement"], findings)))
    return _pool(Matchable.from_dict(texts[0]), listed, run, _weights_of(run))


def _weights_of(run: MatchRun) -> Weights:
    """Those of the run; where another version of the program wrote them so that this one cannot read them,
    those in force: only the marks' weights are asked of them.
    """
    try:
        return settings.get_weights(run.weight_set_id)
    except ValueError:
        return settings.weights_in_force()[1]


def rank_pool(challenge: Challenge, size: int) -> Pool:
    """The first `size` places of a ranking made now. Loads the engine, and may build an epoch."""
    from marketplace.matching import epochs, sources

    now = clock.now()
    seeker = sources.read_one(sources.Subject(PostingKind.CHALLENGE, challenge.id), now=now)
    if seeker is None:
        raise ValueError(f"challenge {challenge.id} was never public")
    _, ranker = epochs.open_corpus()
    matches = ranker.rank(seeker, now=now, size=size).matches
    rows = _read_capabilities([match.capability.id for match in matches])
    listed = []
    for number, match in enumerate(matches, start=1):
        if match.capability.id not in rows:
            continue
        capability, organisation = rows[match.capability.id]
        findings = tuple(
            Finding(
                one.finding.verdict.value, one.finding.quote, one.finding.offered_text, one.finding.conversion
            )
            for one in match.comparisons
        )
        place = Place(number, match.score, capability.public_no, capability.title)
        listed.append((organisation, place, Listed(match.capability, match.agreement, findings)))
    return _pool(seeker, listed, None, ranker.weights)


def _read_capabilities(ids: Sequence[int]) -> dict[int, tuple[Capability, Organisation]]:
    rows = db.session.execute(
        select(Capability, Organisation)
        .join(Organisation, Organisation.id == Capability.organisation_id)
        .where(Capability.id.in_(ids))
    )
    return {capability.id: (capability, organisation) for capability, organisation in rows}


def _pool(
    seeker: Matchable,
    rows: Sequence[tuple[Organisation, Place, Listed]],
    run: MatchRun | None,
    weights: Weights,
) -> Pool:
    listed = [one for _, _, one in rows]
    asked, found = gather(seeker, listed, weights.marks)
    places: dict[int, list[Place]] = {}
    proofs: dict[int, dict[str, Shown]] = {}
    for (organisation, place, _), said in zip(rows, found, strict=True):
        places.setdefault(organisation.id, []).append(place)
        held = proofs.setdefault(organisation.id, {})
        for key, proof in said.items():
            if key not in held or proof.grade > held[key].proof.grade:
                held[key] = Shown(proof, place)
    organisations = {organisation.id: organisation for organisation, _, _ in rows}
    return Pool(seeker, organisations, places, asked, proofs, run)


# --- the proposal -----------------------------------------------------------------------------------------


def propose(
    challenge: Challenge,
    pool: Pool,
    wishes: Wishes,
    *,
    alternatives: int = 2,
    explain: bool = True,
    seconds: float = SECONDS_FOR_A_PAGE,
) -> Proposed:
    """The best consortium out of the pool; `obstacles` must have found nothing wrong with the wishes."""
    rules = _rules(challenge, wishes, pool.organisations)
    found = assemble(
        [Item(one.key, one.weight, one.must) for one in pool.asked],
        [
            Candidate(
                id,
                max(place.score for place in pool.places[id]),
                frozenset({organisation.kind.value, f"size:{organisation.size or ''}"}),
                relations(organisation),
            )
            for id, organisation in pool.organisations.items()
        ],
        [
            Evidence(key, id, shown.proof.grade)
            for id, held in pool.proofs.items()
            for key, shown in held.items()
            if shown.proof.grade
        ],
        rules,
        alternatives=alternatives,
        explain=explain,
        seconds=seconds,
    )
    wished = dict.fromkeys((*wishes.pinned, *wishes.excluded))
    strangers = tuple(id for id in wished if id not in pool.organisations)
    return Proposed(pool, rules, most_partners(challenge), found, strangers)
