"""营业执照 and certificates: whose files they are, who may read them, and that a licence is there.

Both are for the organisation's own members and for those who verify; neither is ever public. Not here: how
files are taken in and kept (`attachments`).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import has_request_context
from sqlalchemy import select

from marketplace.attachments import owners, queries
from marketplace.attachments.kinds import FileKind
from marketplace.attachments.models import Attachment
from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.audit.services import record
from marketplace.kernel.actor import Actor, acting
from marketplace.kernel.db import db, for_change
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.organisations.assisted.queries import may_enter
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Designation, Organisation

ORGANISATION, DESIGNATION = "organisation", "designation"
SCANS = (FileKind.PDF, FileKind.JPG, FileKind.PNG)
LICENCE = Purpose(
    "licence",
    N_("营业执照"),
    hint=N_("营业执照或法人证书的扫描件或照片，四角完整、文字清晰"),
    kinds=SCANS,
    most_files=3,
)
CERTIFICATE = Purpose(
    "certificate",
    N_("称号证书或认定文件"),
    hint=N_("证书扫描件，或含本单位名称的认定文件页"),
    kinds=SCANS,
    most_files=3,
)
OWN_FILES = "/workbench/organisation/edit/files"
# Where the papers may still be changed; a verified organisation brings a new licence or certificate itself.
OPEN = (OrganisationStatus.DRAFT, OrganisationStatus.RETURNED, OrganisationStatus.VERIFIED)


def list_licence(organisation_id: int) -> list[Attachment]:
    return queries.list_for(ORGANISATION, organisation_id, LICENCE.name)


def list_certificates(organisation: Organisation) -> Mapping[int, list[Attachment]]:
    """Designation id → its files."""
    return {
        one.id: queries.list_for(DESIGNATION, one.id, CERTIFICATE.name) for one in organisation.designations
    }


def obstacles_to_submitting(organisation: Organisation) -> Iterator[Obstacle]:
    if not queries.count_for(ORGANISATION, organisation.id, LICENCE.name):
        yield Obstacle("licence", N_("请上传“营业执照”"))


def register() -> None:
    """Tell the files whose they are."""
    owners.register(
        ORGANISATION,
        OwnerRule(
            purposes=(LICENCE,),
            find=_find_organisation,
            may_read=_may_read,
            may_write=_may_write,
            existing=_existing_organisations,
        ),
    )
    owners.register(
        DESIGNATION,
        OwnerRule(
            purposes=(CERTIFICATE,),
            find=_find_designation,
            may_read=lambda id, purpose, actor: _may_read(_organisation_of(id), purpose, actor),
            may_write=lambda id, purpose, actor: _may_write(_organisation_of(id), purpose, actor),
            existing=_existing_designations,
            changed=_note_new_certificate,
        ),
    )


def _may_read(organisation_id: int, _purpose: str, actor: Actor) -> bool:
    return actor.is_operator or actor.is_auditor or actor.belongs_to(organisation_id)


def _may_write(organisation_id: int, _purpose: str, actor: Actor) -> bool:
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None or organisation.status not in OPEN:
        return False
    return actor.manages(organisation_id) or may_enter_for(organisation_id, actor)


def may_enter_for(organisation_id: int, actor: Actor) -> bool:
    """Whether an operator enters things for this organisation, with its recorded consent."""
    return actor.is_operator and may_enter(organisation_id, "organisation")


def _find_organisation(organisation_id: int) -> Owner | None:
    statement = for_change(select(Organisation).where(Organisation.id == organisation_id), Organisation)
    found = db.session.scalar(statement)
    return None if found is None else _owner(found.id, found)


def _find_designation(designation_id: int) -> Owner | None:
    found = db.session.get(Designation, designation_id)
    if found is None:
        return None
    organisation = db.session.get_one(Organisation, found.organisation_id)
    return _owner(designation_id, organisation)


def _owner(owner_id: int, organisation: Organisation) -> Owner:
    # A path and no url_for: commands attach files as well.
    entering = has_request_context() and acting().is_operator
    url = f"/workbench/assisted/organisations/{organisation.id}/files" if entering else OWN_FILES
    return Owner(owner_id, organisation.id, organisation.name, url)


def _organisation_of(designation_id: int) -> int:
    statement = select(Designation.organisation_id).where(Designation.id == designation_id)
    return db.session.scalar(statement) or 0


def _existing_organisations(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Organisation.id).where(Organisation.id.in_(ids))))


def _existing_designations(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Designation.id).where(Designation.id.in_(ids))))


def _note_new_certificate(designation_id: int, _purpose: str, *, by: Actor, now: datetime) -> None:
    """What an operator confirmed rests on the papers they saw: with others it is to be confirmed again."""
    found = db.session.get(Designation, designation_id)
    if found is None or found.confirmed_at is None:
        return
    found.confirmed_at = None
    organisation: Any = db.session.get_one(Organisation, found.organisation_id)
    organisation.version += 1
    record(
        "organisation.update",
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        detail={"fields": ["certificate"], "version": organisation.version},
    )
    defer("matching.organisation_changed", subject_id=organisation.id)
