"""Whatever is typed into any field of any form: refused by name and limit, or kept to the letter; never half.

Values for several fields go together, each judged by itself. In the ordinary run the first form with fields
of a kind gets all values, and later ones, read by the same code, some; `HOSTILE=whole` sends all to all.
"""

import os
import shutil
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from werkzeug.routing import Rule

from marketplace.kernel import clock, forms
from marketplace.kernel.db import db
from tests.conftest import Database, PostgresTemplate, _committing, build_app
from tests.corpus.hostile import REFERENCES, TEXTS
from tests.integration.security.hostile_forms import World, examples
from tests.integration.security.hostile_sender import WRITTEN_ANYWAY, FieldFacts, Keeper, Sender, Watch
from tests.integration.security.world import rules_for, urls_of
from tests.integration.support import footprint

WHOLE = os.environ.get("HOSTILE") == "whole"
# The same view and field as another act, open only when workers have computed something.
LIKE_ANOTHER = {
    f"matching.decide_setting {kind} accept": f"matching.decide_setting {kind} withdraw"
    for kind in ("weights", "dictionary")
}
# What one database has taught is known for the other.
LEARNT: dict[str, dict[str, FieldFacts]] = {}
PAGES: list[tuple[str, str, list[str]]] = []
# Each page is asked for this part of the values, and the first that searches for all.
PAGES_SHARE = 16
LONGEST_ASKED = 5000
READERS = ("visitor", "operator", "sme", "leader", "maintainer")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def sender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    """One application and one world for all forms; every change is taken back."""
    folder = tmp_path_factory.mktemp("hostile")
    if request.param == "sqlite":
        path = folder / "marketplace.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        database = Database("sqlite", f"sqlite:///{path}", folder)
    else:
        template: PostgresTemplate = request.getfixturevalue("postgres_template")
        with _committing(template.url) as connection:
            template.reset(connection)
        database = Database("postgres", template.url, folder)
    app = build_app(database.settings())
    with app.app_context(), pytest.MonkeyPatch.context() as patch:
        # It stands still, so that codes stay right and the same form writes the same.
        standing = datetime.now(UTC)
        patch.setattr(clock, "now", lambda: standing)
        watch = Watch(app, patch)
        world = World(app)
        keeper = Keeper(db.engine, folder)
        yield Sender(
            app,
            watch,
            world.clients,
            keeper,
            examples(world),
            LEARNT,
        )
        keeper.close()
        db.session.remove()
        db.engine.dispose()


def acts_of(rule: Rule) -> list[str]:
    """The endpoint, once for each act or step that it serves."""
    names = [sorted(c.items) for c in rule._converters.values() if hasattr(c, "items")]
    return [" ".join((rule.endpoint, *chosen)) for chosen in product(*names)]


def all_forms(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("marketplace.") and not one.__name__.startswith("_"):
            yield one
        yield from all_forms(one)


ONLY_SQLITE = pytest.mark.parametrize("sender", ["sqlite"], indirect=True)


@ONLY_SQLITE
def test_every_form_has_a_good_example_with_every_field(sender: Sender) -> None:
    known = {one.key for one in sender.examples}
    wanted = {act for rule in rules_for(sender.app.url_map, "POST") for act in acts_of(rule)}
    assert wanted - known - LIKE_ANOTHER.keys() == set()
    sender.faults.clear()
    for one in sender.examples:
        sender.facts_of(one)
    assert not sender.faults, "\n".join(sender.faults)
    # A class that others stand on is seen in them.
    bases = {base for seen in sender.watch.classes for base in seen.__mro__}
    assert set(all_forms(forms.Form)) - bases == set()


@pytest.mark.timeout(3600)
def test_each_field_refuses_by_name_and_limit_or_keeps(sender: Sender) -> None:
    before = footprint()
    sender.faults.clear()
    for one in sender.examples:
        sender.judge(one, whole=WHOLE)
    assert not sender.faults, "\n".join(sender.faults)
    after = footprint()
    assert {n: after[n] for n in after.keys() - WRITTEN_ANYWAY} == {
        n: before[n] for n in before.keys() - WRITTEN_ANYWAY
    }


# Numbers go on in PostgreSQL when a row is taken back.
@ONLY_SQLITE
def test_a_field_that_nobody_asked_for_changes_nothing(sender: Sender) -> None:
    sender.faults.clear()
    for one in sender.examples:
        sender.judge_extra(one)
    assert not sender.faults, "\n".join(sender.faults)


def pages_of(sender: Sender) -> Iterator[tuple[str, str, list[str]]]:
    """Pages that look at their query: who reads them, where, and the names that they look at."""
    for rule in rules_for(sender.app.url_map, "GET"):
        if rule.endpoint.startswith("identity.") or (rule.arguments and not WHOLE):
            continue
        for url in urls_of(rule, ["challenge"], [1]):
            asked = ((who, sender.asked_by(who, url)) for who in READERS)
            who, names = next(((who, names) for who, names in asked if names is not None), ("", None))
            if names:
                yield who, url, names


def test_whatever_stands_in_the_query_of_a_page_it_answers_and_writes_nothing(sender: Sender) -> None:
    on_both = [one.text for one in TEXTS if one.database]
    only_here = [one.text for one in TEXTS if not one.database] + list(REFERENCES)
    values = [text for text in on_both + only_here * sender.keeper.is_sqlite if len(text) <= LONGEST_ASKED]
    sender.faults.clear()
    if not PAGES:
        PAGES.extend(pages_of(sender))
    assert len(PAGES) > 10
    searched = next(url for _who, url, names in PAGES if "q" in names)
    for who, url, names in PAGES:
        step = 1 if WHOLE or url == searched else PAGES_SHARE
        start = zlib.crc32(url.encode()) % step
        sender.ask(who, url, names, values[start::step])
    assert not sender.faults, "\n".join(sender.faults)
