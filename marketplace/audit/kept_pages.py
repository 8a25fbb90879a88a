"""Public pages that are made once and shown again until something happens.

Every change writes its row to the trail in its own transaction, so the head of the trail tells whether
anything that a page shows can have changed; the minute tells whether the clock can have. What is written
without a row of the trail (counts of words, documents that a sweep puts right) shows a minute later, and so
much older than elsewhere may be what is kept for a minute anyway, such as the numbers beside choices.

Only for a browser that sends none of our cookies: without them there is no session, no language and no way of
display but the usual ones, so that everybody sees the same. Not for pages whose being asked for counts, as of
search.
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
from marketplace.kernel import clock, locales
from marketplace.kernel.actor import acting

P = ParamSpec("P")
#: Bytes of pages that one process keeps, of the largest page, and of the longest question in an address.
MOST_BYTES = 16_000_000
LARGEST = 200_000
LONGEST_QUESTION = 300
_NAME = "audit.kept_pages"
_HEADERS = {"Content-Type", "Content-Length"}
Address = tuple[str, ...]
_before_making: list[Callable[[], None]] = []
_cookies: set[str] = {locales.COOKIE}


def before_making(refresh: Callable[[], None]) -> None:
    """Have a function called before a page is made to be kept: it has what is remembered looked at."""
    if refresh not in _before_making:
        _before_making.append(refresh)


def tell_apart_by(cookie: str) -> None:
    """Name a cookie by which pages differ: who sends it is given a page of their own."""
    _cookies.add(cookie)


class _Page(NamedTuple):
    stamp: str
    body: bytes
    content_type: str


@dataclass(slots=True)
class _Store:
    pages: OrderedDict[Address, _Page] = field(default_factory=OrderedDict)
    size: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, address: Address, stamp: str) -> _Page | None:
        with self.lock:
            page = self.pages.get(address)
            if page is None or page.stamp != stamp:
                return None
            self.pages.move_to_end(address)
            return page

    def put(self, address: Address, page: _Page) -> None:
        with self.lock:
            if before := self.pages.pop(address, None):
                self.size -= len(before.body)
            self.pages[address] = page
            self.size += len(page.body)
            while self.size > MOST_BYTES:
                _address, oldest = self.pages.popitem(last=False)
                self.size -= len(oldest.body)


def kept_until_something_happens(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Show everybody who sends no cookie of ours the same page until the trail grows. Below `@policy`."""

    @wraps(view)
    def shown(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not _is_anybody() or (stamp := _stamp()) is None:
            return view(*args, **kwargs)
        store: _Store = current_app.extensions.setdefault(_NAME, _Store())
        # In its parts: put together again, two paths may read alike.
        query = request.query_string.decode("latin-1")
        address = (request.scheme, request.host, request.script_root, request.path, query)
        if page := store.find(address, stamp):
            return Response(page.body, content_type=page.content_type)
        for refresh in _before_making:
            refresh()
        response = make_response(view(*args, **kwargs))
        # Whoever is given a session is given a page of their own: it may hold the token of its forms. And
        # what says more than its text would say less the second time.
        says_no_more = set(response.headers.keys()) <= _HEADERS and not session.modified
        if response.status_code == 200 and response.is_sequence and says_no_more:
            body = response.get_data()
            if len(body) <= LARGEST and len(query) <= LONGEST_QUESTION:
                store.put(address, _Page(stamp, body, response.content_type))
        return response

    return shown


def _is_anybody() -> bool:
    ours = {current_app.config["SESSION_COOKIE_NAME"], *_cookies}
    reads = request.method in ("GET", "HEAD")
    return reads and not acting().signed_in and ours.isdisjoint(request.cookies)


def _stamp() -> str | None:
    """Where the trail ends, and the minute. Read before the page is made, which is as new or newer."""
    head = find_head()
    return f"{head.seq} {head.hash} {clock.now():%Y-%m-%dT%H:%M}" if head else None
