"""What the features hand over to be matched, as the engine's documents.

The features say what of a posting is public; here only what is no description of the thing itself is left
aside, and the names of indicators are added as text. Not here: documents as they are kept (`corpus`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from types import ModuleType
from typing import Any

from sqlalchemy import select

from marketplace.capabilities import queries as capabilities
from marketplace.capabilities.models import Capability, CapabilityCluster
from marketplace.challenges import queries as challenges
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge, ChallengeCluster
from marketplace.kernel.db import db
from marketplace.matching.engine.documents import Conditions, Kind, Matchable, Standing
from marketplace.matching.models import PostingKind
from marketplace.needs import queries as needs
from marketplace.needs.models import Need, NeedCluster
from marketplace.organisations.models import Organisation
from marketplace.postings.matchable import Matchable as Posted
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

SEEKERS = (PostingKind.CHALLENGE, PostingKind.NEED)

# Whom a seeker admits and how it accepts is no description of what it needs.
_NO_DESCRIPTION = ("requirements", "acceptance", "qualification")
_PUBLIC: Mapping[PostingKind, tuple[Any, Sequence[Any]]] = {
    PostingKind.CHALLENGE: (Challenge, (ChallengeStatus.PUBLISHED, ChallengeStatus.COLLECTED)),
    PostingKind.NEED: (Need, needs.PUBLIC),
    PostingKind.CAPABILITY: (Capability, capabilities.PUBLIC),
}
_CLUSTERS: Mapping[PostingKind, Any] = {
    PostingKind.CHALLENGE: ChallengeCluster,
    PostingKind.NEED: NeedCluster,
    PostingKind.CAPABILITY: CapabilityCluster,
}
_QUERIES: Mapping[PostingKind, ModuleType] = {
    PostingKind.CHALLENGE: challenges,
    PostingKind.NEED: needs,
    PostingKind.CAPABILITY: capabilities,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A posting by kind and id."""

    kind: PostingKind
    id: int


def read(kind: PostingKind, ids: Sequence[int], *, now: datetime) -> list[Matchable]:
    """The documents of postings that are or were public, by id."""
    taxonomy.look_again()
    posted: list[Posted] = _QUERIES[kind].read_matchables(ids, now=now)
    return [_with_current_codes(to_document(one)) for one in posted]


def read_one(subject: Subject, *, now: datetime) -> Matchable | None:
    """One document, or None for a posting that was never public."""
    found = read(subject.kind, [subject.id], now=now)
    return found[0] if found else None


def read_held(subject: Subject, *, now: datetime) -> Matchable | None:
    """The same inside a transaction, with the posting held: nobody withdraws or revises it until the end."""
    found = read_all_held(subject.kind, [subject.id], now=now)
    return found[0] if found else None


def read_all_held(kind: PostingKind, ids: Sequence[int], *, now: datetime) -> list[Matchable]:
    """`read` inside a transaction, with the postings held, in the order of their ids."""
    entity, _statuses = _PUBLIC[kind]
    db.session.execute(
        select(entity.id).where(entity.id.in_(ids)).order_by(entity.id).with_for_update(read=True)
    )
    return read(kind, ids, now=now)


def list_open_seekers(now: datetime) -> list[Subject]:
    """Every challenge and need that capabilities are ranked for now, oldest first."""
    return [
        *(Subject(PostingKind.CHALLENGE, challenge_id) for challenge_id in challenges.list_open_ids(now)),
        *(Subject(PostingKind.NEED, need_id) for need_id in needs.list_open_ids(now)),
    ]


def list_open_versions(now: datetime) -> dict[Subject, int]:
    """Everything that is to be ranked or placed, with its version."""
    found = {
        PostingKind.CHALLENGE: challenges.list_versions(now),
        PostingKind.NEED: needs.list_versions(now),
        PostingKind.CAPABILITY: capabilities.list_versions(now),
    }
    return {
        Subject(kind, id): version for kind, versions in found.items() for id, version in versions.items()
    }


def list_public_of(organisation_id: int) -> list[Subject]:
    """Everything public of one organisation, whether or not it is still open."""
    found = []
    for kind, (entity, statuses) in _PUBLIC.items():
        ids = db.session.scalars(
            select(entity.id)
            .where(entity.organisation_id == organisation_id, entity.status.in_(statuses))
            .order_by(entity.id)
        )
        found += [Subject(kind, posting_id) for posting_id in ids]
    return found


def list_carrying(scheme: Scheme, codes: Sequence[str]) -> list[Subject]:
    """Everything public that carries one of these codes, or lies where its organisation does."""
    found = []
    for kind, (entity, statuses) in _PUBLIC.items():
        statement = select(entity.id).where(entity.status.in_(statuses)).order_by(entity.id)
        if scheme is Scheme.CLUSTER:
            statement = statement.where(entity.clusters.any(_CLUSTERS[kind].code.in_(codes)))
        elif scheme is Scheme.INDUSTRY:
            statement = statement.where(entity.industry.in_(codes))
        elif scheme is Scheme.REGION:
            there = select(Organisation.id).where(Organisation.region.in_(codes))
            lies = entity.region.is_(None) & entity.organisation_id.in_(there)
            statement = statement.where(entity.region.in_(codes) | lies)
        else:
            continue
        found += [Subject(kind, posting_id) for posting_id in db.session.scalars(statement)]
    return found


def to_document(posted: Posted) -> Matchable:
    """A posting's public text and facts as the engine's document."""
    facts = {field.name: getattr(posted, field.name) for field in fields(posted)}
    sections = [(name, text) for name, text in posted.sections if name not in _NO_DESCRIPTION]
    if posted.indicators:
        names = (f"{indicator.name} {indicator.text_value}".strip() for indicator in posted.indicators)
        sections.append(("indicators", "\n".join(names)))
    return Matchable(
        **facts
        | {
            "kind": Kind(posted.kind),
            "sections": tuple(sections),
            "standing": Standing(posted.standing),
            "conditions": Conditions(**asdict(posted.conditions)),
        }
    )


def _with_current_codes(document: Matchable) -> Matchable:
    """The same; what has ended is read as what stands in its place, so that old postings meet new ones."""
    return replace(
        document,
        clusters=taxonomy.current_codes(Scheme.CLUSTER, document.clusters),
        industry=taxonomy.current_code(Scheme.INDUSTRY, document.industry),
        region=taxonomy.current_code(Scheme.REGION, document.region),
    )
