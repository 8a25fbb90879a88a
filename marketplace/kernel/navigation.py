"""The navigation, as rows that features add. An entry names an endpoint, so none can lead nowhere."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext

from marketplace.kernel.access import Audience
from marketplace.kernel.actor import Actor, acting


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    endpoint: str
    order: int
    group: str = ""
    audience: Audience | None = None
    count: Callable[[Actor], int] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    url: str
    current: bool
    count: int = 0


_public: dict[str, Entry] = {}
_workbench: dict[str, Entry] = {}


def add_public(label: str, endpoint: str, order: int) -> None:
    """Add to the main navigation; `label` is a gettext source text."""
    _public[endpoint] = Entry(label, endpoint, order)


def add_workbench(
    group: str,
    label: str,
    endpoint: str,
    audience: Audience,
    order: int,
    count: Callable[[Actor], int] | None = None,
) -> None:
    """Add to the workbench's side; `count` gives the to-dos behind the entry."""
    _workbench[endpoint] = Entry(label, endpoint, order, group, audience, count)


def _is_current(entry: Entry) -> bool:
    here = request.endpoint or ""
    return here == entry.endpoint


def public_nav() -> list[Item]:
    """The main navigation; an entry is current on every page of its blueprint."""
    here = (request.endpoint or "").partition(".")[0]
    ordered = sorted(_public.values(), key=lambda e: e.order)
    return [
        Item(gettext(e.label), url_for(e.endpoint), e.endpoint.partition(".")[0] == here) for e in ordered
    ]


def workbench_nav() -> list[tuple[str, list[Item]]]:
    """The side of the workbench for the current actor: groups in the order of their first entry."""
    actor = acting()
    groups: dict[str, list[Item]] = {}
    for entry in sorted(_workbench.values(), key=lambda e: e.order):
        if entry.audience is None or not entry.audience.admits(actor):
            continue
        todo = entry.count(actor) if entry.count else 0
        item = Item(gettext(entry.label), url_for(entry.endpoint), _is_current(entry), todo)
        groups.setdefault(gettext(entry.group), []).append(item)
    return list(groups.items())


def endpoints() -> list[str]:
    """Every endpoint that some navigation entry leads to; a test visits them."""
    return [*_public, *_workbench]
