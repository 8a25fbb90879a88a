"""How a higher feature adds to a page that a lower feature owns, without the page knowing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template
from markupsafe import Markup

from marketplace.kernel.actor import Actor, acting


@dataclass(frozen=True, slots=True)
class Panel:
    """`data(subject, actor)` returns the template's variables, or None where there is nothing to show."""

    page: str
    name: str
    order: int
    may_see: Callable[[Any, Actor], bool]
    data: Callable[[Any, Actor], Mapping[str, Any] | None]
    template: str


_panels: dict[tuple[str, str], Panel] = {}


def register(panel: Panel) -> None:
    _panels[panel.page, panel.name] = panel


def panels(page: str, subject: Any) -> Markup:
    """Everything that other features show on `page` about `subject` to the current actor, in order."""
    actor = acting()
    chosen = sorted((p for p in _panels.values() if p.page == page), key=lambda p: (p.order, p.name))
    parts = []
    for panel in chosen:
        if not panel.may_see(subject, actor):
            continue
        data = panel.data(subject, actor)
        if data is not None:
            parts.append(render_template(panel.template, **data))
    # Each part was rendered with autoescape on; joining them adds nothing that needs escaping.
    return Markup("").join(Markup(part) for part in parts)  # noqa: S704
