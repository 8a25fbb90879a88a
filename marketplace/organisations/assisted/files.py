"""The paper on which a firm agreed; for its own members and for the platform."""

from marketplace.attachments import owners
from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, find_row
from marketplace.kernel.texts import N_
from marketplace.organisations.assisted import queries
from marketplace.organisations.models import AssistedConsent

OWNER = "assisted_consent"
CONSENT = Purpose(
    "consent",
    N_("同意书或记录"),
    hint=N_("签字的同意书、走访记录，或注明通话时间和内容的电话记录"),
    most_files=5,
)


def register() -> None:
    owners.register(
        OWNER,
        OwnerRule(
            purposes=(CONSENT,),
            find=_find,
            may_read=_may_read,
            may_write=_may_write,
            existing=queries.existing_consents,
        ),
    )


def _find(consent_id: int) -> Owner | None:
    consent = find_row(AssistedConsent, consent_id)
    if consent is None:
        return None
    url = f"/workbench/assisted/{consent_id}"
    return Owner(consent_id, consent.organisation_id, consent.organisation.name, url)


def _may_read(consent_id: int, _purpose: str, actor: Actor) -> bool:
    consent = db.session.get(AssistedConsent, consent_id)
    return consent is not None and (
        actor.is_operator or actor.is_auditor or actor.belongs_to(consent.organisation_id)
    )


def _may_write(consent_id: int, _purpose: str, actor: Actor) -> bool:
    consent = db.session.get(AssistedConsent, consent_id)
    return consent is not None and consent.ended_at is None and actor.is_operator
