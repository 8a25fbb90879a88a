"""The requests of the matrix: each route that declares a policy, with each object in each state.

Here: which objects an address is asked with, and what a form is sent with.
Not here: the objects themselves (world.py) and the answers that are due (matrix.csv).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import select
from werkzeug.routing import Rule

from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge
from marketplace.kernel import clock
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.needs.models import Need, NeedList
from marketplace.organisations.models import Organisation
from tests.integration.authz.world import MEMBER_TOKEN, NO_TOKEN, TAKEOVER_TOKEN, World

NO_NUMBER, NO_ID, NO_CODE = "ZZ-2026-99999", 99_999_999, "91500112MB99999990"
# Parts of an address that choose an act; other choices of an address lead to the same code.
ACTS = ("action", "answer")


@dataclass(frozen=True, slots=True)
class Case:
    """One request: what it asks for, in which state, and the same address with an id that nothing has."""

    resource: str
    action: str
    endpoint: str
    method: str
    state: str
    url: str
    missing_url: str | None
    form: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, ...]:
        return self.resource, self.action, self.endpoint, self.method, self.state


def cases(world: World) -> Iterator[Case]:
    adapter = world.app.url_map.bind("localhost")
    for rule in sorted(world.app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule)):
        view = world.app.view_functions[rule.endpoint]
        if not hasattr(view, "policy"):
            continue
        resource, action = view.policy
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for state, named, missing in _arguments(rule, world):
                form = _form(rule.endpoint, named, world) if method == "POST" else {}
                yield Case(
                    resource,
                    action,
                    rule.endpoint,
                    method,
                    state,
                    adapter.build(rule.endpoint, named, method=method) + _query(rule.endpoint, named, world),
                    adapter.build(rule.endpoint, missing, method=method) + _query(rule.endpoint, named, world)
                    if missing is not None
                    else None,
                    tuple(form.items()),
                )


def _query(endpoint: str, named: dict[str, Any], world: World) -> str:
    """Words planted in private fields begin alike: whatever is searched by words is asked for them."""
    if endpoint == "exchange.export":
        return _scope_of_export(named.get("name", ""), world)
    return {
        "search.find": "?q=CNRY",
        "search.suggest": "?q=CN",
        "challenges.hall": "?q=CNRY",
        "needs.hall": "?q=CNRY",
        "capabilities.hall": "?q=CNRY",
        "organisations.hall": "?q=CNRY",
        "identity.accounts": "?q=CNRY",
    }.get(endpoint, "")


def _scope_of_export(name: str, world: World) -> str:
    objects = world.objects
    return {
        "matching.shortlist": f"?kind=challenges&number={objects['challenge']['published']}",
        "needs.own": f"?list={objects['need_list']['draft']}",
        "exchange.errors": f"?import={objects['import']['received']}",
    }.get(name, "?q=CNRY")


# Where a challenge or need is only what something else is about, its states come down to these.
ABOUT = {
    "challenge": ("draft", "published", "taken_down", "foreign_draft"),
    "need": ("draft", "published", "foreign_draft"),
}

Arguments = tuple[str, dict[str, Any], dict[str, Any] | None]


def _arguments(rule: Rule, world: World) -> Iterator[Arguments]:
    """(state, what the address names, the same with an id that nothing has) for each object."""
    choices: dict[str, list[str]] = {}
    for name in rule.arguments:
        items = sorted(getattr(rule._converters[name], "items", ()))
        if items and name != "kind":
            choices[name] = items if name in ACTS else items[:1]
    for chosen in product(*choices.values()):
        fixed = dict(zip(choices, chosen, strict=True))
        act = "/".join(value for name, value in fixed.items() if name in ACTS)
        for state, named, missing in _objects(rule, world):
            label = "@".join(part for part in (act, state) if part) or "-"
            yield label, {**fixed, **named}, None if missing is None else {**fixed, **missing}


def _objects(rule: Rule, world: World) -> Iterator[Arguments]:
    names = {n for n in rule.arguments if n == "kind" or not hasattr(rule._converters[n], "items")}
    endpoint, objects = rule.endpoint, world.objects
    blueprint = endpoint.partition(".")[0]
    if not names:
        yield "", {}, None
    elif endpoint == "matching.run_diff":
        run = objects["run"]["challenge"]
        yield "own", {"run_no": run, "other_no": run}, {"run_no": NO_NUMBER, "other_no": NO_NUMBER}
    elif endpoint == "matching.explanation":
        for kind, run in objects["run"].items():
            place = objects["place"][kind]
            yield kind, {"run_no": run, "place": place}, {"run_no": NO_NUMBER, "place": 1}
    elif endpoint == "attachments.manage" or endpoint == "attachments.upload":
        yield from _owners(world)
    elif endpoint == "members.decide_request_for":
        for state, member in objects["membership"].items():
            firm = objects["firm"]["verified"]
            yield (
                state,
                {"organisation_id": firm, "membership_id": member},
                {"organisation_id": firm, "membership_id": NO_ID},
            )
    elif "public_no" in names:
        yield from _postings(endpoint, blueprint, names, rule.arguments, world)
    elif endpoint == "oversight.history":
        for kind in ("challenge", "need", "capability"):
            for state, number in objects[f"{kind}_id"].items():
                yield (
                    f"{kind}_{state}",
                    {"kind": kind, "subject_id": number},
                    {"kind": kind, "subject_id": NO_ID},
                )
    else:
        yield from _others(endpoint, names, world)


def _postings(
    endpoint: str, blueprint: str, names: set[str], rule_arguments: set[str], world: World
) -> Iterator[Arguments]:
    objects = world.objects
    if endpoint.startswith("engagement.") and "kind" not in names:
        kinds = {"": "approach"}
    elif "kind" in names:
        several = blueprint in ("matching", "engagement")
        kinds = {
            "challenges" if several else "challenge": "challenge",
            "needs" if several else "need": "need",
        }
    elif endpoint in {"needs.show_list", "needs.edit_list", "needs.save_list", "needs.new", "needs.create"}:
        kinds = {"": "need_list"}
    elif blueprint == "matching":
        kinds = {"": "challenge"}
    else:
        kinds = {"": {"challenges": "challenge", "needs": "need", "capabilities": "capability"}[blueprint]}
    for kind, what in kinds.items():
        said = {"kind": kind} if kind else {}
        for state, number in objects[what].items():
            if kind and state not in ABOUT[what]:
                continue
            if "action" in rule_arguments and state in ("of_suspended", "supplier"):
                continue
            label = f"{what}_{state}" if kind else state
            yield label, {**said, "public_no": number}, {**said, "public_no": NO_NUMBER}


def _owners(world: World) -> Iterator[Arguments]:
    objects = world.objects
    owned = [
        ("challenge", "public", {s: objects["challenge_id"][s] for s in ("draft", "submitted", "published")}),
        ("challenge", "annex", {"draft": objects["challenge_id"]["draft"]}),
        ("need", "drawing", {s: objects["need_id"][s] for s in ("draft", "published")}),
        ("capability", "sheet", {s: objects["capability_id"][s] for s in ("draft", "published")}),
        ("organisation", "licence", {"verified": objects["firm"]["verified"]}),
        ("announcement", "public", {s: objects["announcement"][s] for s in ("draft", "published")}),
    ]
    for kind, purpose, found in owned:
        for state, owner in found.items():
            said = {"owner_kind": kind, "purpose": purpose}
            yield f"{kind}_{purpose}_{state}", {**said, "owner_id": owner}, {**said, "owner_id": NO_ID}


def _others(endpoint: str, names: set[str], world: World) -> Iterator[Arguments]:
    """Addresses that name one thing."""
    objects, users = world.objects, world.actors
    accounts = {"member": users["editor"].user_id, "auditor": users["auditor"].user_id}
    schemes, kinds = {"cluster": "cluster"}, {"need": "need", "capability": "capability"}
    tokens: dict[str, dict[str, Any]] = {
        "assisted.takeover": {"sent": TAKEOVER_TOKEN},
        "assisted.take_over": {"sent": TAKEOVER_TOKEN},
        "member_invitation.show": {"sent": MEMBER_TOKEN},
        "member_invitation.accept": {"sent": MEMBER_TOKEN},
        "member_invitation.register": {"sent": MEMBER_TOKEN},
    }
    exported = {name: name for name in world.exports}
    known: dict[str, tuple[dict[str, Any], Any]] = {
        "user_id": (accounts, NO_ID),
        "announcement_id": (objects["announcement"], NO_ID),
        "entry_id": (objects["entry"], NO_ID),
        "consent_id": (objects["consent"], NO_ID),
        "organisation_id": (objects["firm"], NO_ID),
        "claim_id": (objects["claim"], NO_ID),
        "dismissal_id": (objects["dismissal"], NO_ID),
        "note_id": (objects["note"], NO_ID),
        "letter_id": (objects["letter"], NO_ID),
        "import_id": (objects["import"], NO_ID),
        "invitation_id": (objects["member_invitation"], NO_ID),
        "membership_id": (objects["membership"], NO_ID),
        "saved_id": (objects["saved_search"], NO_ID),
        "session_id": ({"of_editor": objects["session"]["editor"]}, NO_ID),
        "id": (objects["setting"], NO_ID),
        "key": (objects["file"], "0" * 32),
        "code": (objects["firm_code"], NO_CODE),
        "token": (tokens.get(endpoint, {"spent": NO_TOKEN}), NO_TOKEN),
        "name": (exported, "nothing"),
        "scheme": (schemes, "nothing"),
    }
    said: dict[str, Any] = {}
    if "code" in names and "scheme" in names:
        said, names = {"scheme": "cluster"}, names - {"scheme"}
    if endpoint.startswith("matching.") and "kind" in names:
        said, names = {"kind": "weights"}, names - {"kind"}
    if endpoint == "exchange.template":
        said, names = {"format": "csv"}, names - {"format"}
    if endpoint.startswith("exchange.") and "kind" in names:
        found, nothing, name = kinds, "nothing", "kind"
    elif not names:
        yield "", said, None
        return
    elif endpoint == "taxonomy.show_node":
        found, nothing, name = {"node": "A1"}, "ZZ9", "code"
    else:
        [name] = names
        found, nothing = known[name]
    for state, value in found.items():
        yield state, {**said, name: value}, {**said, name: nothing}


def _version(named: dict[str, Any]) -> int:
    """The version that the form of a posting is made from."""
    postings: tuple[Any, ...] = (Challenge, Need, NeedList, Capability)
    for entity in postings:
        row = db.session.scalar(select(entity).where(entity.public_no == named.get("public_no", "")))
        if row is not None:
            return int(row.version)
    if (firm := named.get("organisation_id")) is not None:
        return db.session.get_one(Organisation, firm).version
    return 0


def _form(endpoint: str, named: dict[str, Any], world: World) -> dict[str, str]:
    """Fields of any form, filled fitly; a form takes those that it knows."""
    day = business_date(clock.now())
    fields = {
        "version": str(_version(named)),
        "reason": "因年度计划调整，按程序办理，特此说明",
        "statement": "本单位由该厂改制而来，附工商变更通知书，请予核对。",
        "text": "来料检验能力待现场核实",
        "capability": str(world.objects["capability"]["supplier"]),
        "reason_code": "other",
        "contact": "organisation",
        "expires_on": (day + timedelta(days=14)).isoformat(),
        "closes_on": (day + timedelta(days=45)).isoformat(),
        "role": "reader",
        "email": "somebody-else@example.com",
        "name": "周末巡检",
        "title": "矩阵试用标题，文字足够长",
        "frequency": "never",
        "act": "save",
    }
    if endpoint in ("search.keep",):
        fields |= {"kind": "challenge", "subject_id": str(world.objects["challenge_id"]["published"])}
    if endpoint == "members.switch":
        fields |= {"organisation_id": str(world.objects["firm"]["verified"])}
    if endpoint == "exchange.export":
        fields |= {"format": "csv"}
    return fields
