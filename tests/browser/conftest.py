"""A running site with a small market, and pages of a real browser that remember every complaint."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from werkzeug.serving import make_server

from marketplace.kernel.db import db
from marketplace.matching import runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from tests.conftest import Database, build_app
from tests.integration.portal.conftest import PASSWORD, build_market

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}


@dataclass
class Site:
    """Where the application listens and what it holds."""

    address: str
    challenge_no: str
    need_no: str
    capability_no: str

    def path(self, pattern: str) -> str:
        """An address with the public numbers of the market's things filled in."""
        return self.address + pattern.format(
            challenge_no=self.challenge_no, need_no=self.need_no, capability_no=self.capability_no
        )


@pytest.fixture(scope="session")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    path = folder / "marketplace.sqlite3"
    shutil.copyfile(sqlite_template, path)
    app = build_app(Database("sqlite", f"sqlite:///{path}", folder).settings())
    with app.app_context():
        market = build_market()
        capability, challenge, need = market.capability(), market.challenge(), market.need()
        runs.place_capability(capability.id)
        runs.rank_seeker(Subject(PostingKind.CHALLENGE, challenge.id))
        runs.rank_seeker(Subject(PostingKind.NEED, need.id))
        numbers = challenge.public_no, need.public_no, capability.public_no
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.port}", *numbers)
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


@dataclass
class Visit:
    """One page in one window."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    site: str = ""

    def go(self, address: str) -> int:
        """The status with which the page answered; a mere path is one of the site's."""
        response = self.page.goto(self.site + address)
        self.page.wait_for_load_state("load")
        return int(response.status)

    def sign_in(self, site: Site, who: str) -> None:
        """As a person does it: by the form."""
        self.go(site.address + "/login")
        self.page.get_by_label("邮箱").fill(f"{who}@example.com")
        self.page.get_by_label("密码", exact=True).fill(PASSWORD)
        self.page.locator("main").get_by_role("button", name="登录").click()
        self.page.wait_for_url("**/workbench")

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def violations(self) -> list[str]:
        """What axe finds; injected past the policy that keeps every foreign script out."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        session.detach()
        run = "rules => axe.run({runOnly: rules, resultTypes: ['violations']}).then(r => r.violations)"
        found = self.page.evaluate(run, RULES)
        return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found]


@pytest.fixture
def open_window(chromium_browser: Any) -> Iterator[Callable[..., Visit]]:
    """`open_window("phone")`, or `open_window("phone", java_script_enabled=False)`."""
    contexts = []

    def opened(width: str = "desktop", **options: Any) -> Visit:
        across, down = WIDTHS[width]
        context = chromium_browser.new_context(viewport={"width": across, "height": down}, **options)
        contexts.append(context)
        visit = Visit(context.new_page())
        visit.page.on(
            "console", lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        return visit

    yield opened
    for context in contexts:
        context.close()
