"""Reference data: loaded once, versioned, audited, read without asking each time."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.audit.models import AuditEvent
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.taxonomy import queries, services
from marketplace.taxonomy.models import Scheme, TaxonomyNode
from marketplace.taxonomy.shipped import ShippedNode, ShippedScheme, read_schemes


def count_nodes() -> int:
    return db.session.scalar(select(func.count()).select_from(TaxonomyNode)) or 0


def ship(monkeypatch: pytest.MonkeyPatch, *schemes: ShippedScheme) -> None:
    monkeypatch.setattr(services, "read_schemes", lambda: iter(schemes))


def trl_version(version: str, name: str) -> ShippedScheme:
    node = ShippedNode("1", None, name, True, "test", 0)
    return ShippedScheme("trl", version, date(2030, 1, 1), (node,))


def test_loading_again_changes_nothing(app: Flask) -> None:
    before = count_nodes()
    with transaction():
        assert services.load_shipped(now=clock.now()) == []
    assert count_nodes() == before == sum(len(shipped.nodes) for shipped in read_schemes())


def test_the_first_load_is_one_audited_act(app: Flask) -> None:
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "taxonomy.load")).all()
    assert len(events) == 1
    assert events[0].detail["cluster"] == {"version": "2024", "nodes": 35}


def test_a_new_version_closes_the_old_one_and_keeps_its_names(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(monkeypatch, trl_version("2030", "全新的一级"))
    with pytest.raises(ZeroDivisionError), transaction():
        services.load_shipped(now=clock.now())
        assert queries.trl_pairs() == [("1", "全新的一级")]
        assert queries.trl_name(9).startswith("TRL 9")
        assert not queries.is_current(Scheme.TRL, "9")
        raise ZeroDivisionError
    assert queries.trl_name(1) != "全新的一级"
    assert queries.is_current(Scheme.TRL, "9")


def test_the_same_version_with_other_content_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(monkeypatch, trl_version("2022", "悄悄改名"))
    with pytest.raises(services.VersionClash), transaction():
        services.load_shipped(now=clock.now())


def test_names_and_choices_are_read_from_the_table(app: Flask) -> None:
    assert queries.cluster_name("C2") == "高端摩托车"
    assert queries.cluster_name("Z9") == "Z9"
    assert queries.region_name("500112") == "重庆市渝北区"
    assert queries.region_name("500112", full=False) == "渝北区"
    assert queries.region_name("510100") == "四川省成都市"
    assert ("A1", "智能网联新能源汽车", "主导产业集群") in queries.cluster_pairs()
    assert queries.is_leaf_cluster("A1")
    assert not queries.is_leaf_cluster("A")
    assert queries.codes_under("cluster", "C") == ["C", "C1", "C2", "C3", "C4", "C5", "C6"]
    assert len(queries.codes_under("region", "500000")) == 39
    assert "kN" in queries.unit_codes()


def test_names_cost_no_statement_once_they_are_known(app: Flask, count_statements: Any) -> None:
    queries.cluster_name("A1")
    with count_statements() as seen:
        queries.cluster_names(["A1", "B1"])
        queries.region_pairs()
    assert seen == []


def test_the_page_of_codes_marks_what_has_no_public_source(client: FlaskClient) -> None:
    page = client.get("/taxonomy/cluster")
    assert page.status_code == 200
    assert "高端摩托车" in page.text
    assert page.text.count('t-wait">待核实') == 18
