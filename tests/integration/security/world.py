"""A small marketplace in which everything that pages lead to is there, and everybody who may look at it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Map, Rule
from werkzeug.routing.converters import NumberConverter

from marketplace.challenges.models import Challenge
from marketplace.kernel.actor import ANONYMOUS, Actor
from marketplace.kernel.db import db
from marketplace.needs.models import Need, NeedList
from tests import factories
from tests.integration.support import a_capability, a_need, client_of


@dataclass
class World:
    app: Flask
    leader: Actor
    sme: Actor
    foreign_leader: Actor
    foreign_sme: Actor
    operator: Actor
    auditor: Actor
    ids: list[str] = field(default_factory=list)

    def ids_of_each_kind(self, *, most: int) -> list[str]:
        """At most so many public numbers of each series."""
        kinds: dict[str, list[str]] = {}
        for number in self.ids:
            kinds.setdefault(number.partition("-")[0], []).append(number)
        return [number for numbers in kinds.values() for number in numbers[:most]]

    def viewers(self) -> dict[str, FlaskClient]:
        everybody = {
            "visitor": ANONYMOUS,
            "leader": self.leader,
            "sme": self.sme,
            "foreign leader": self.foreign_leader,
            "foreign sme": self.foreign_sme,
            "operator": self.operator,
            "auditor": self.auditor,
        }
        return {name: client_of(self.app, actor) for name, actor in everybody.items()}


def build(app: Flask, *, annex: str = "", hidden_price_fen: int = 7_654_321) -> World:
    """Challenges, needs and a capability in several states, with secrets where secrets have their place."""
    leader, sme = factories.a_leader(), factories.an_sme()
    for status in ("draft", "submitted", "returned", "published", "withdrawn"):
        factories.a_challenge(leader, status, annex=annex)
    price = {"max_price_fen": hidden_price_fen, "max_price_hidden": True}
    a_need(leader, **price)
    a_need(leader, published=False, title="电机轴毛坯（草稿）", **price)
    a_capability(sme)
    a_capability(sme, published=False, title="空心轴锻造（草稿）")
    world = World(
        app,
        leader,
        sme,
        factories.a_leader(),
        factories.an_sme(),
        factories.an_operator(),
        factories.an_auditor(),
    )
    from marketplace.capabilities.models import Capability

    for entity in (Challenge, Need, NeedList, Capability):
        world.ids += db.session.scalars(select(entity.public_no))
    return world


def rules_for(url_map: Map, method: str) -> Iterator[Rule]:
    for rule in url_map.iter_rules():
        if method in (rule.methods or ()) and rule.endpoint != "static":
            yield rule


def urls_of(rule: Rule, texts: list[str], numbers: list[int]) -> list[str]:
    """The rule's addresses with each of the values in turn, put in raw so that hostile ones arrive."""
    if not rule.arguments:
        return [rule.rule]
    urls = []
    for position in range(max(len(texts), len(numbers))):
        url = ""
        for is_argument, content in rule._trace:
            if not is_argument:
                url += content
                continue
            converter = rule._converters[content]
            if hasattr(converter, "items"):
                url += sorted(converter.items)[position % len(converter.items)]
            elif isinstance(converter, NumberConverter):
                url += str(numbers[position % len(numbers)])
            else:
                url += texts[position % len(texts)]
        urls.append(url.lstrip("|"))
    return list(dict.fromkeys(urls))
