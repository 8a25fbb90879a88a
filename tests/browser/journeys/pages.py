"""Which pages there are, asked from the application itself, and what is wrong with one that is open.

Here: the routes that answer with a page, how they are told apart, the judgement of a page.
Not here: who looks at them and by which way (`test_sound_pages.py`).
"""

import hashlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from tests.browser.conftest import WIDTHS, Visit

# Answers to GET that are no pages: files, parts of pages, and switches that lead to another page.
NO_PAGES = {
    "static",
    "attachments.download",
    "exchange.progress",
    "exchange.template",
    "help.display",
    "help.language",
    "matching.consortium_panel",
    "matching.explanation",
    "matching.panel",
    "own_organisation.edit",
    "search.open_saved",
    "search.suggest",
    "taxonomy.export",
}
# What in an address chooses another page, not another thing on the same page.
CHOICES = ("step", "kind")
PRESENT = "all => [...new Set(all.map(e => e.tagName + '.' + e.className))].sort().join(' ')"

# Scripts hear of a new width before the next picture.
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Map:
    """The routes of the application, by the addresses of its pages."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.adapter = app.url_map.bind("127.0.0.1")

    def page_of(self, address: str) -> tuple[str, ...] | None:
        """The endpoint, and the choices made in the address; None where it leads to no page of ours."""
        parts = urlsplit(address)
        if parts.netloc or parts.scheme or not parts.path.startswith("/"):
            return None
        try:
            endpoint, arguments = self.adapter.match(parts.path, method="GET")
        except HTTPException:
            return None
        if endpoint in NO_PAGES or "export=" in parts.query:
            return None
        return endpoint, *(str(arguments[name]) for name in CHOICES if name in arguments)

    def endpoints(self) -> set[str]:
        """All that answer with a page."""
        return {rule.endpoint for rule in self._rules()} - NO_PAGES

    def _rules(self) -> Iterator[Rule]:
        return (rule for rule in self.app.url_map.iter_rules() if "GET" in (rule.methods or ()))


def links_of(visit: Visit) -> list[str]:
    """The addresses that the page leads to, in the order of the page."""
    found: list[str] = visit.page.eval_on_selector_all(
        "a[href]", "all => [...new Set(all.map(a => a.getAttribute('href')))]"
    )
    return found


def shape_of(visit: Visit) -> str:
    """Which kinds of elements the page is made of: two pages with the same ones need one judgement of axe."""
    present = visit.page.eval_on_selector_all("body *", PRESENT)
    return hashlib.sha256(present.encode()).hexdigest()


def faults_of(visit: Visit, *, with_axe: bool = True) -> list[str]:
    """What is wrong with the open page, at both widths; the window keeps the width that it had."""
    before = visit.page.viewport_size
    found = []
    for name, (across, down) in WIDTHS.items():
        visit.page.set_viewport_size({"width": across, "height": down})
        visit.page.evaluate(DRAWN)
        if (wider := visit.overflow()) > 0:
            found.append(f"{name}: {wider} px wider than the window")
        if with_axe:
            found += [f"{name}: {violation}" for violation in visit.violations()]
    visit.page.set_viewport_size(before)
    found += visit.complaints
    visit.complaints.clear()
    return found
