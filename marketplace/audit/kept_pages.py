"""Public pages that are made once and shown again until something happens.

Every change writes its row to the trail in its own transaction, so the head of the trail tells whether
anything that a page shows can have changed; the minute tells whether the clock can have. What is written
without a row of the trail (counts of words, documents that a sweep puts right) shows a minute later.

Only for a browser that sends no cookie: without one there is no session, no language and no way of display
but the usual ones, so that everybody sees the same. Not for pages whose being asked for counts, as of search.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import NamedTuple, ParamSpec

from flask import Response, current_app, make_response, request, session
from flask.typing import ResponseReturnValue

from marketplace.audit.queries import find_head
from marketplace.kernel import clock
from marketplace.kernel.actor import acting

P = ParamSpec("P")
#: Pages that one process keeps, and bytes of the largest.
MOST = 300
LARGEST = 200_000
_NAME = "audit.kept_pages"


class _Page(NamedTuple):
    stamp: str
    body: bytes
    content_type: str


@dataclass(slots=True)
class _Store:
    pages: OrderedDict[str, _Page] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, url: str, stamp: str) -> _Page | None:
        with self.lock:
            page = self.pages.get(url)
            if page is None or page.stamp != stamp:
                return None
            self.pages.move_to_end(url)
            return page

    def put(self, url: str, page: _Page) -> None:
        with self.lock:
            self.pages[url] = page
            self.pages.move_to_end(url)
            while len(self.pages) > MOST:
                self.pages.popitem(last=False)


def kept_until_something_happens(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Show visitors without a cookie the same page until the trail grows. Stands below `@policy`."""

    @wraps(view)
    def shown(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        alike = not request.cookies and not acting().signed_in and request.method in ("GET", "HEAD")
        if not alike or (stamp := _stamp()) is None:
            return view(*args, **kwargs)
        store: _Store = current_app.extensions.setdefault(_NAME, _Store())
        if page := store.find(request.url, stamp):
            return Response(page.body, content_type=page.content_type)
        response = make_response(view(*args, **kwargs))
        # Whoever is given a session is given a page of their own: it may hold the token of its forms.
        if response.status_code == 200 and response.is_sequence and not session.modified:
            body = response.get_data()
            if len(body) <= LARGEST:
                store.put(request.url, _Page(stamp, body, response.content_type))
        return response

    return shown


def _stamp() -> str | None:
    """Where the trail ends, and the minute. Read before the page is made, which is as new or newer."""
    head = find_head()
    return f"{head.seq} {head.hash} {clock.now():%Y-%m-%dT%H:%M}" if head else None
