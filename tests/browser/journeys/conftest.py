"""The whole marketplace as `make run` starts it, with the demonstration, once per session; and its people.

Each role signs in once by the form; later windows take over its cookie. With SCREENSHOTS=folder every page
that is looked at is photographed into that folder.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.demo.accounts import ACCOUNTS, PASSWORD
from tests.browser.conftest import Visit
from tests.services.launcher import launched

ADDRESSES = {account.email.partition("@")[0]: account.email for account in ACCOUNTS}


@pytest.fixture(scope="session")
def site(chromium_browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running marketplace. TEST_SITE names one that is there already."""
    if given := os.environ.get("TEST_SITE"):
        yield given.rstrip("/")
        return
    with launched(tmp_path_factory.mktemp("journeys") / "instance", WORKERS="1") as run:
        run.wait_until_up(240)
        yield run.address


class People:
    """Windows of people who are signed in."""

    def __init__(self, site: str, open_window: Callable[..., Visit], cookies: dict[str, Any]) -> None:
        self.site, self.open_window, self.cookies = site, open_window, cookies

    def __call__(self, who: str, width: str = "desktop", **options: Any) -> Visit:
        """A window of "operator", "leader", "sme" …, or of "nobody"."""
        if who == "nobody":
            return self._at_site(self.open_window(width, **options))
        if who not in self.cookies:
            entrance = self._at_site(self.open_window())
            sign_in(entrance, ADDRESSES[who], PASSWORD)
            self.cookies[who] = entrance.page.context.storage_state()
        return self._at_site(self.open_window(width, storage_state=self.cookies[who], **options))

    def _at_site(self, visit: Visit) -> Visit:
        visit.site = self.site
        return visit


def first_link(visit: Visit, pattern: str) -> str:
    """The path of the first link on the page that matches from beginning to end."""
    paths = visit.page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    return next(path for path in paths if re.fullmatch(pattern, path))


def sign_in(visit: Visit, address: str, password: str) -> None:
    visit.go("/login")
    visit.page.get_by_label("邮箱").fill(address)
    visit.page.get_by_label("密码", exact=False).first.fill(password)
    visit.page.get_by_role("main").get_by_role("button", name="登录").click()
    visit.page.wait_for_url("**/workbench**")


@pytest.fixture(scope="session")
def cookies() -> dict[str, Any]:
    return {}


@pytest.fixture
def window(site: str, open_window: Callable[..., Visit], cookies: dict[str, Any]) -> People:
    return People(site, open_window, cookies)


@pytest.fixture
def photograph(request: pytest.FixtureRequest) -> Callable[[Visit, str], None]:
    folder = os.environ.get("SCREENSHOTS")

    def take(visit: Visit, name: str) -> None:
        if folder:
            width = visit.page.viewport_size["width"]
            path = Path(folder) / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{width}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            visit.page.screenshot(path=path, full_page=True)

    return take
