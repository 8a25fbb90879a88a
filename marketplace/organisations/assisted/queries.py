"""Questions about recorded consents and what was entered under them."""

from collections.abc import Collection

from sqlalchemy import Select, func, select

from marketplace.kernel.db import db, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.organisations.lifecycle import EntryStatus, OrganisationStatus
from marketplace.organisations.models import (
    AssistedConsent,
    AssistedEntry,
    Membership,
    MembershipStatus,
    Organisation,
)


def may_enter(organisation_id: int, scope: str) -> bool:
    """Whether a consent that has not ended covers entering this kind of thing for the organisation."""
    return any(scope in consent.scope for consent in list_live_consents(organisation_id))


def list_live_consents(organisation_id: int) -> list[AssistedConsent]:
    return list(
        db.session.scalars(
            select(AssistedConsent)
            .where(AssistedConsent.organisation_id == organisation_id, AssistedConsent.ended_at.is_(None))
            .order_by(AssistedConsent.id)
        )
    )


def page_consents(*, page: int) -> Page[AssistedConsent]:
    """All of them, the newest first."""
    return paginate(select(AssistedConsent).order_by(AssistedConsent.id.desc()), page=page, per_page=20)


def get_consent(consent_id: int) -> AssistedConsent:
    statement = select(AssistedConsent).where(AssistedConsent.id == consent_id)
    found = db.session.scalar(for_change(statement, AssistedConsent))
    if found is None:
        raise NotFound(f"assisted consent {consent_id}")
    return found


def find_assisted_draft(uscc: str) -> Organisation | None:
    """A firm that the platform has begun to enter with this code and that nobody has taken over."""
    consented = select(AssistedConsent.id).where(AssistedConsent.organisation_id == Organisation.id)
    manned = select(Membership.id).where(
        Membership.organisation_id == Organisation.id, Membership.status == MembershipStatus.ACTIVE
    )
    statement = select(Organisation).where(
        Organisation.uscc == uscc,
        Organisation.status == OrganisationStatus.DRAFT,
        consented.exists(),
        ~manned.exists(),
    )
    return db.session.scalar(statement.order_by(Organisation.id).limit(1))


def find_by_takeover(token_hash: str) -> AssistedConsent | None:
    statement = select(AssistedConsent).where(AssistedConsent.takeover_hash == token_hash)
    return db.session.scalar(for_change(statement, AssistedConsent))


def existing_consents(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(AssistedConsent.id).where(AssistedConsent.id.in_(ids))))


def find_entry(kind: str, subject_id: int) -> AssistedEntry | None:
    """What was entered for a firm under this name, if it was."""
    return db.session.scalar(
        select(AssistedEntry).where(
            AssistedEntry.subject_kind == kind, AssistedEntry.subject_id == subject_id
        )
    )


def get_entry(entry_id: int, *, organisation_id: int) -> AssistedEntry:
    """One about the organisation; raises NotFound for any other."""
    statement = select(AssistedEntry).where(
        AssistedEntry.id == entry_id, AssistedEntry.organisation_id == organisation_id
    )
    found = db.session.scalar(for_change(statement, AssistedEntry))
    if found is None:
        raise NotFound(f"assisted entry {entry_id}")
    return found


def _about(organisation_id: int) -> Select[AssistedEntry]:
    return select(AssistedEntry).where(AssistedEntry.organisation_id == organisation_id)


def list_entries(organisation_id: int) -> list[AssistedEntry]:
    """What was entered for an organisation, what waits for its word first."""
    waiting = AssistedEntry.status == EntryStatus.WAITING
    statement = _about(organisation_id).order_by(waiting.desc(), AssistedEntry.id.desc()).limit(200)
    return list(db.session.scalars(statement))


def list_under(consent_id: int) -> list[AssistedEntry]:
    statement = select(AssistedEntry).where(AssistedEntry.consent_id == consent_id)
    return list(db.session.scalars(statement.order_by(AssistedEntry.id).limit(200)))


def count_waiting(organisation_id: int) -> int:
    rows = _about(organisation_id).where(AssistedEntry.status == EntryStatus.WAITING).subquery()
    return db.session.scalar(select(func.count()).select_from(rows)) or 0
