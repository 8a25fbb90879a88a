"""The factories walk real transitions: what they make is where they say, and the audit trail says how."""

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.db import db
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from tests import factories

pytestmark = pytest.mark.usefixtures("app")


def acts(kind: str, subject_id: int) -> list[str]:
    rows = select(AuditEvent.type).where(AuditEvent.subject_kind == kind, AuditEvent.subject_id == subject_id)
    return list(db.session.scalars(rows.order_by(AuditEvent.seq)))


def test_a_leader_was_registered_and_verified_and_may_post() -> None:
    leader, sme = factories.a_leader(), factories.an_sme()
    assert (leader.organisation_role, leader.organisation_verified) == (OrganisationRole.MANAGER, True)
    assert (leader.may_post_challenges, sme.may_post_challenges) == (True, False)
    assert acts("organisation", leader.organisation_id or 0) == [
        "organisation.register", "organisation.submit", "organisation.verify",
    ]  # fmt: skip


def test_a_colleague_writes_for_the_same_organisation() -> None:
    manager = factories.an_sme()
    colleague = factories.a_colleague_of(manager)
    assert colleague.edits_for(manager.organisation_id)
    assert not colleague.manages(manager.organisation_id)


def test_a_suspended_organisation_is_suspended() -> None:
    manager = factories.an_institute()
    factories.suspend(manager)
    organisation = db.session.get_one(Organisation, manager.organisation_id)
    assert organisation.status is OrganisationStatus.SUSPENDED


@pytest.mark.parametrize("status", ["draft", "submitted", "returned", "published", "withdrawn"])
def test_a_challenge_comes_to_its_status_step_by_step(status: str) -> None:
    challenge = factories.a_challenge(status=status)
    assert challenge.status == status
    assert len(acts("challenge", challenge.id)) == {"draft": 1, "submitted": 2, "withdrawn": 4}.get(status, 3)


@pytest.mark.parametrize("status", ["draft", "published", "withdrawn", "taken_down"])
def test_needs_and_capabilities_come_to_their_status(app: Flask, status: str) -> None:
    assert factories.a_need(status=status).status == status
    assert factories.a_capability(status=status).status == status


def test_noise_is_of_other_owners() -> None:
    mine = factories.a_challenge()
    factories.noise()
    assert len({row.organisation_id for row in db.session.scalars(select(type(mine)))}) == 2
