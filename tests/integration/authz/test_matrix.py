"""Who may do what, cell by cell: matrix.csv held against the application.

How to read and to extend the matrix: docs/authorization.md. `make mutants` shows that it would notice.
"""

import pytest
from sqlalchemy import select

from marketplace.kernel.db import db
from marketplace.notifications.models import Letter
from tests.integration.authz import mutants
from tests.integration.authz.runner import ALLOWED, DENIED, WORD, Runner, read_matrix
from tests.integration.authz.world import ROLES

# Whom the filters in the database tell apart; the others differ by what is decided before it is asked.
TOLD_APART_BY_ROWS = ("anonymous", "manager", "other_editor", "supplier", "operator")


def test_every_policy_has_its_rows_and_no_cell_is_blank(runner: Runner) -> None:
    rows, asked = read_matrix(), {case.key for case in runner.cases}
    advice = "; run python -m tests.integration.authz.fill and answer what is new"
    assert asked - rows.keys() == set(), f"routes or states without a row{advice}"
    assert rows.keys() - asked == set(), f"rows of what is no longer there{advice}"
    policies = {v.policy for v in runner.world.app.view_functions.values() if hasattr(v, "policy")}
    assert policies == {key[:2] for key in rows}
    for key, answers in rows.items():
        for role in ROLES:
            assert answers[role] in {ALLOWED, *DENIED}, f"{key} has no answer for {role}: {answers[role]!r}"


@pytest.mark.timeout(900)
def test_every_cell_is_answered_as_is_due(runner: Runner) -> None:
    roles = TOLD_APART_BY_ROWS if runner.on_postgresql else ROLES
    faults = list(runner.faults_of(runner.cases, read_matrix(), roles))
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:40])
    assert runner.digest() == runner.untouched


def test_no_letter_shows_what_its_reader_may_not_know(runner: Runner) -> None:
    role_of = {actor.user_id: role for role, actor in runner.world.actors.items() if actor.signed_in}
    found = 0
    for letter in db.session.scalars(select(Letter)):
        for word in WORD.findall(f"{letter.subject}\n{letter.body}"):
            if role := role_of.get(letter.user_id):
                found += 1
                assert role in runner.world.readers[word], f"{letter.kind} to {role} shows {word}"
    assert found


def test_a_word_out_of_place_is_noticed(runner: Runner) -> None:
    [case] = [c for c in runner.cases if c.endpoint == "challenges.annex" and c.state == "draft"]
    answer = runner.ask("manager", case)
    assert runner.words_out_of_place("manager", answer) == []
    assert runner.words_out_of_place("other_editor", answer)


@pytest.mark.timeout(900)
def test_a_sample_of_policies_cannot_be_taken_away_unnoticed(runner: Runner) -> None:
    if runner.on_postgresql:
        return
    chosen = [m for m in mutants.all_mutants(runner) if m.name in mutants.SAMPLE]
    assert {m.name for m in chosen} == mutants.SAMPLE
    rows = read_matrix()
    assert [m.name for m in chosen if not mutants.is_noticed(m, runner, rows)] == []
