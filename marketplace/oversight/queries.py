"""Whose history may be read by whom."""

from typing import Any

from sqlalchemy import select

from marketplace.capabilities import queries as capabilities
from marketplace.capabilities.models import Capability
from marketplace.challenges import queries as challenges
from marketplace.challenges.models import Challenge
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.needs import queries as needs
from marketplace.needs.models import Need
from marketplace.organisations.models import Organisation

# What has drafts that nobody but their owner knows of.
POSTINGS: dict[str, tuple[Any, Any]] = {
    "challenge": (Challenge, challenges.visible_to),
    "need": (Need, needs.visible_to),
    "capability": (Capability, capabilities.visible_to),
}


def may_look_back(kind: str, subject_id: int, *, viewer: Actor) -> bool:
    """An auditor looks back on everything; others on what they may see today."""
    if viewer.is_auditor or kind not in POSTINGS:
        return True
    entity, visible_to = POSTINGS[kind]
    return bool(db.session.scalar(select(entity.id).where(entity.id == subject_id, visible_to(viewer))))


def find_organisation_name(organisation_id: int) -> str:
    """Empty where there is none."""
    return db.session.scalar(select(Organisation.name).where(Organisation.id == organisation_id)) or ""
