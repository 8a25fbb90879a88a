"""Every route says who may reach it, every navigation entry leads somewhere, no view writes on GET."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from marketplace.kernel import navigation
from marketplace.kernel.access import ANYONE, audience_of
from tests.conftest import Database, build_app

# Reachable by anybody without a policy of ours: files that are public anyway.
PUBLIC_ENDPOINTS = {"static"}


@pytest.fixture(scope="module")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder: Path = tmp_path_factory.mktemp("routes")
    return build_app(Database("sqlite", f"sqlite:///{folder / 'none.sqlite3'}", folder).settings())


def endpoints_without_policy(app: Flask) -> list[str]:
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint not in PUBLIC_ENDPOINTS and not hasattr(view, "policy")
    )


def test_every_route_carries_a_policy(bare_app: Flask) -> None:
    assert endpoints_without_policy(bare_app) == []


def test_a_route_without_policy_is_caught(tmp_path: Path) -> None:
    app = build_app(Database("sqlite", f"sqlite:///{tmp_path / 'none.sqlite3'}", tmp_path).settings())
    app.add_url_rule("/forgotten", "forgotten", lambda: "open to all")
    assert endpoints_without_policy(app) == ["forgotten"]


def test_every_policy_names_an_audience(bare_app: Flask) -> None:
    for view in bare_app.view_functions.values():
        if hasattr(view, "policy"):
            assert audience_of(*view.policy).name


def test_what_changes_something_is_not_open_to_anyone_but_for_the_doors(bare_app: Flask) -> None:
    doors = {"identity", "member_invitation"}
    for rule in writing_rules(bare_app.url_map.iter_rules()):
        view = bare_app.view_functions[rule.endpoint]
        if audience_of(*view.policy) is ANYONE:
            # Mail programs end mails by a signed link, with nobody signed in.
            by_signed_link = rule.endpoint == "notifications.end_mails"
            assert by_signed_link or rule.endpoint.partition(".")[0] in doors, rule.endpoint


def writing_rules(rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}]


def test_every_navigation_entry_leads_to_a_route(bare_app: Flask) -> None:
    assert navigation.endpoints()
    for endpoint in navigation.endpoints():
        assert endpoint in bare_app.view_functions
