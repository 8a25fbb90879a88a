"""The one door that commits."""

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace.audit.chain import find_breaks
from marketplace.audit.models import AuditEvent
from marketplace.audit.queries import find_head, iterate_chain
from marketplace.audit.services import UnauditedChange, record
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.db import UncommittedWork, db, transaction, writing
from marketplace.kernel.numbering import NumberSeries, next_number
from marketplace.organisations.models import Organisation, OrganisationKind


def an_organisation(name: str = "甲") -> Organisation:
    return Organisation(name=name, kind=OrganisationKind.ENTERPRISE, created_at=clock.now())


def test_what_is_done_inside_is_there_afterwards(app: Flask) -> None:
    with transaction():
        number = next_number("JB", now=clock.now())
    assert number.endswith("-0001")
    assert db.session.scalar(select(NumberSeries.last)) == 1


def test_an_error_inside_leaves_nothing(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        next_number("JB", now=clock.now())
        raise ZeroDivisionError
    assert db.session.scalar(select(NumberSeries.last)) is None


def test_writing_outside_fails(app: Flask) -> None:
    with pytest.raises(DBAPIError):
        db.session.execute(text("insert into number_series (prefix, year, last) values ('X', 2026, 1)"))
    db.session.rollback()


def test_changes_pending_from_before_are_refused(app: Flask) -> None:
    db.session.add(an_organisation())
    with pytest.raises(UncommittedWork), transaction():
        pass
    db.session.rollback()


def test_transactions_do_not_nest(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="nested"), transaction(), transaction():
        pass


def test_a_change_without_its_audit_row_does_not_commit(app: Flask) -> None:
    with pytest.raises(UnauditedChange), transaction():
        db.session.add(an_organisation())
    assert db.session.scalar(select(Organisation.id)) is None


def test_an_edit_without_its_audit_row_does_not_commit(app: Flask) -> None:
    organisation = saved_organisation()
    with pytest.raises(UnauditedChange), transaction():
        again = db.session.get(Organisation, organisation.id)
        assert again is not None
        again.summary = "悄悄改掉"
    db.session.expire_all()
    assert db.session.scalar(select(Organisation.summary)) == ""


def saved_organisation(name: str = "甲") -> Organisation:
    with transaction():
        organisation = an_organisation(name)
        db.session.add(organisation)
        db.session.flush()
        record("organisation.create", "organisation", organisation.id, by=SYSTEM, at=clock.now(), label=name)
    return organisation


def three_acts() -> int:
    """Three audited acts; returns the number of the first row of theirs."""
    head = find_head()
    before = head.seq if head else 0
    for name in ("甲", "乙", "丙"):
        saved_organisation(name)
    return before + 1


def test_every_act_leaves_its_row_in_a_whole_chain(app: Flask) -> None:
    first = three_acts()
    db.session.expire_all()
    head = find_head()
    assert head is not None
    assert head.seq == first + 2
    assert [event.subject_label for event in iterate_chain()][-3:] == ["甲", "乙", "丙"]
    assert find_breaks(iterate_chain(), head_seq=head.seq, head_hash=head.hash, anchors={}) == []


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        ("update audit_event set reason = '改写' where seq = :second", "altered"),
        ("delete from audit_event where seq = :second", "missing"),
        ("delete from audit_event where seq = :second + 1", "head"),
    ],
)
def test_tampering_with_the_trail_is_found(app: Flask, tampering: str, problem: str) -> None:
    second = three_acts() + 1
    with transaction():
        db.session.execute(text(tampering), {"second": second})
    head = find_head()
    assert head is not None
    breaks = find_breaks(iterate_chain(), head_seq=head.seq, head_hash=head.hash, anchors={})
    assert problem in {found.problem for found in breaks}


def test_a_tail_cut_together_with_the_head_is_found_by_the_anchor(app: Flask) -> None:
    third = three_acts() + 2
    db.session.expire_all()
    head = find_head()
    assert head is not None
    anchors = {head.seq: head.hash}
    digest = db.session.scalar(select(AuditEvent.hash).where(AuditEvent.seq == third - 1))
    with transaction():
        db.session.execute(text("delete from audit_event where seq = :third"), {"third": third})
        db.session.execute(
            text("update audit_head set seq = :seq, hash = :hash"), {"seq": third - 1, "hash": digest}
        )
    db.session.expire_all()
    head = find_head()
    assert head is not None
    breaks = find_breaks(iterate_chain(), head_seq=head.seq, head_hash=head.hash, anchors=anchors)
    assert [found.problem for found in breaks] == ["anchor"]


def test_what_another_transaction_changed_is_read_anew(app: Flask) -> None:
    saved = saved_organisation()
    with db.engine.connect() as other, writing():
        other.execute(text("update organisation set version = 2"))
        other.commit()
    with transaction():
        again = db.session.get(Organisation, saved.id)
        assert again is not None
        assert again.version == 2
