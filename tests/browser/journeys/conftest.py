"""The whole marketplace as `make run` starts it, with the demonstration, once per session; and its people.

Each person signs in once by the form; later windows take over the cookie. With SCREENSHOTS=folder every page
that is looked at is photographed into that folder. TEST_INSTANCE=folder names the instance of a marketplace
that is running already, and spares the wait for a new one.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

from marketplace.demo.accounts import DOMAIN, PASSWORD
from marketplace.kernel.dates import SHANGHAI
from tests.browser.conftest import Visit
from tests.browser.journeys.pages import Map
from tests.conftest import Database, build_app
from tests.services.launcher import launched
from tests.services.workforce import until

NUMBER = r"[A-Z]{2}-\d{4}-\d+"


class Marketplace:
    def __init__(self, instance: Path, address: str) -> None:
        self.instance, self.address = instance, address

    def mail_to(self, address: str, holding: str) -> str:
        """The newest mail to an address that holds a text, once the worker has written it."""
        found: list[str] = []

        def there() -> bool:
            mails = sorted((self.instance / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime)
            texts = [path.read_text(encoding="utf-8") for path in mails]
            found[:] = [text for text in texts if address in text and holding in text]
            return bool(found)

        until(there, what=f"mail to {address}")
        return found[-1]


@pytest.fixture(scope="session")
def marketplace(chromium_browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marketplace]:
    if running := os.environ.get("TEST_INSTANCE"):
        record = json.loads((Path(running) / "run.json").read_text())
        yield Marketplace(Path(running), record["address"])
        return
    instance = tmp_path_factory.mktemp("journeys") / "instance"
    with launched(instance) as run:
        run.wait_until_up()
        yield Marketplace(instance, run.address)


class People:
    """Opens windows of people who are signed in."""

    def __init__(self, address: str, open_window: Callable[..., Visit], cookies: dict[str, Any]) -> None:
        self.address, self.open_window, self.cookies = address, open_window, cookies

    def __call__(self, who: str, width: str = "desktop", **options: Any) -> Visit:
        """A window of "operator", "leader", "sme" …, or of "nobody"."""
        if who != "nobody" and who not in self.cookies:
            entrance = self("nobody")
            sign_in(entrance, f"{who}@{DOMAIN}", PASSWORD)
            self.cookies[who] = entrance.page.context.storage_state()
        state = {} if who == "nobody" else {"storage_state": self.cookies[who]}
        visit = self.open_window(width, **state, **options)
        visit.page.context.set_default_timeout(30_000)
        visit.site = self.address
        return visit


def sign_in(visit: Visit, address: str, password: str) -> None:
    visit.go("/login")
    visit.page.locator("[name=email]").fill(address)
    visit.page.locator("[name=password]").fill(password)
    press(visit, "登录")
    visit.page.wait_for_url("**/workbench**")


def press(visit: Visit, name: str) -> None:
    """Press a button of the page's main part and wait for what comes."""
    visit.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()
    visit.page.wait_for_load_state("load")


def fill(visit: Visit, **values: str) -> None:
    """Type into fields by name; in a name "__" stands for "-"."""
    for name, value in values.items():
        field = visit.page.locator(f'[name="{name.replace("__", "-")}"]')
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def tick(visit: Visit, name: str, value: str) -> None:
    visit.page.locator(f'[name="{name}"][value="{value}"]').check()


def in_days(days: int) -> str:
    """A day from today on, as a date field takes it."""
    return (datetime.now(SHANGHAI).date() + timedelta(days=days)).isoformat()


def first_link(visit: Visit, pattern: str) -> str:
    """The path of the first link on the page that matches from beginning to end."""
    paths = visit.page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    return next(path for path in paths if re.fullmatch(pattern, path))


def reload_until(visit: Visit, address: str, wanted: Locator) -> None:
    """Look at a page again and again until a worker has brought about what is wanted."""

    def there() -> bool:
        visit.go(address)
        return bool(wanted.count())

    until(there, what=f"{wanted} on {address}")


def read_letter(visit: Visit, holding: str) -> None:
    """Wait for a letter on the site that holds a text, and follow it to where it leads."""
    lines = visit.page.get_by_role("main").locator("tbody tr", has_text=holding)
    reload_until(visit, "/workbench/letters", lines)
    lines.first.get_by_role("button", name="查看").click()
    visit.page.wait_for_url(lambda address: not address.endswith("/workbench/letters"))


@pytest.fixture(scope="session")
def cookies() -> dict[str, Any]:
    return {}


@pytest.fixture
def window(marketplace: Marketplace, open_window: Callable[..., Visit], cookies: dict[str, Any]) -> People:
    return People(marketplace.address, open_window, cookies)


@pytest.fixture(scope="session")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Map:
    folder = tmp_path_factory.mktemp("routes")
    return Map(build_app(Database("sqlite", f"sqlite:///{folder / 'none.sqlite3'}", folder).settings()))


@pytest.fixture
def photograph() -> Callable[[Visit, str], None]:
    folder = os.environ.get("SCREENSHOTS")

    def take(visit: Visit, name: str) -> None:
        if folder:
            width = visit.page.viewport_size["width"]
            plain = re.sub(r"[^a-z0-9]+", "-", re.sub(rf"{NUMBER}|\d+", "one", name.lower(), flags=re.I))
            path = Path(folder) / f"{plain.strip('-')}-{width}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            visit.page.screenshot(path=path, full_page=True)

    return take
