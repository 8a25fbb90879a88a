"""Every kind of page with the demonstration's data, as each role sees it, wide and narrow: axe finds nothing,
the console is silent (the content policy speaks there too), and nothing is wider than the window.
"""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import NUMBER, People, first_link

Photograph = Callable[[Visit, str], None]

# Page → pattern of a link on it, for pages that carry a number; a name for everything else.
OPEN_TO_ALL = [
    "/", "/challenges", "/needs", "/capabilities", "/organisations", "/guide", "/ranking-rules", "/site-map",
    "/accessibility", "/taxonomy", "/login", "/register", "/password/forgot", "/terms", "/privacy",
    "/search?q=丝杠", "/challenges?cluster=A1&status=open&sort=budget", "/challenges?q=没有这样的榜单",
    ("/challenges", rf"/challenges/{NUMBER}"),
    ("/needs", rf"/needs/{NUMBER}"),
    ("/capabilities", rf"/capabilities/{NUMBER}"),
    ("/organisations", r"/organisations/\d+"),
]  # fmt: skip
WORKBENCH = {
    "leader": [
        "/workbench/challenges/new", "/workbench/need-lists/new",
        ("/workbench/challenges", rf"/workbench/challenges/{NUMBER}/basics"),
        ("/workbench/challenges", rf"/challenges/{NUMBER}"),
        ("/workbench/needs", rf"/need-lists/{NUMBER}"),
    ],
    "sme": [
        "/workbench/capabilities/new", "/workbench/matching/fits?kind=needs", "/workbench/organisation/edit",
        ("/workbench/matching/fits", rf"/workbench/matching/challenges/{NUMBER}"),
        ("/workbench/matching/fits", rf"/challenges/{NUMBER}"),
        ("/workbench/capabilities", rf"/workbench/capabilities/{NUMBER}/edit"),
    ],
    "operator": [
        ("/review/challenges", rf"/review/challenges/{NUMBER}"),
        ("/workbench/verification", r"/workbench/verification/\d+"),
        ("/workbench/matching/monitor", rf"/workbench/matching/(challenges|needs)/{NUMBER}"),
        "/workbench/matching/settings/weights/new", "/workbench/matching/settings/dictionary/new",
        ("/workbench/matching/settings", r"/workbench/matching/settings/weights/\d+"),
    ],
    "auditor": [("/workbench/trail", r"/workbench/history/[a-z_]+/\d+")],
    "maintainer": [("/workbench/accounts", r"/workbench/accounts/\d+"), "/workbench/account/second-factor"],
    "institute": [("/workbench/matching/fits", rf"/challenges/{NUMBER}")],
}  # fmt: skip
# The same for whoever belongs to an organisation, or to the platform: looked at once.
SEEN_BY_THE_LEADER = ("/workbench/letters", "/workbench/account", "/workbench/organisation")
STEPS = ("problem", "indicators", "terms", "annex", "preview")


def faults_of(visit: Visit) -> list[str]:
    found = [*visit.violations(), *visit.complaints]
    if (wider := visit.overflow()) > 0:
        found.append(f"{wider} px wider than the window")
    visit.complaints.clear()
    return found


def look_at(
    visit: Visit, pages: list[str | tuple[str, str]], who: str, photograph: Photograph
) -> dict[str, list[str]]:
    """What is wrong, page by page; the pages that nothing is wrong with are left out."""
    faults = {}
    for page in pages:
        path = page
        if isinstance(page, tuple):
            visit.go(page[0])
            path = first_link(visit, page[1])
        status = visit.go(str(path))
        photograph(visit, f"{who} {path}")
        found = faults_of(visit)
        if status != 200:
            found.append(f"answered {status}")
        if found:
            faults[str(path)] = found
    return faults


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_what_everybody_sees_is_sound(width: str, window: People, photograph: Photograph) -> None:
    assert look_at(window("nobody", width), OPEN_TO_ALL, "nobody", photograph) == {}


@pytest.mark.parametrize("width", ["desktop", "phone"])
@pytest.mark.parametrize("who", WORKBENCH)
def test_each_workbench_is_sound(who: str, width: str, window: People, photograph: Photograph) -> None:
    visit = window(who, width)
    visit.go("/workbench")
    links = visit.page.eval_on_selector_all(".wb-nav a", "all => all.map(a => a.getAttribute('href'))")
    menu = [link for link in links if who == "leader" or link not in SEEN_BY_THE_LEADER]
    assert menu
    assert look_at(visit, [*menu, *WORKBENCH[who]], who, photograph) == {}


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_each_step_of_a_challenge_is_sound(width: str, window: People, photograph: Photograph) -> None:
    visit = window("leader", width)
    visit.go("/workbench/challenges")
    start = first_link(visit, rf"/workbench/challenges/{NUMBER}/basics")
    steps = [start.replace("basics", step) for step in STEPS]
    assert look_at(visit, steps, "leader", photograph) == {}


@pytest.mark.parametrize("path", ["/challenges", "/needs", "/capabilities", "/organisations"])
def test_lists_work_without_scripts(path: str, window: People) -> None:
    visit = window("nobody", java_script_enabled=False)
    visit.go(path)
    page = visit.page
    before = page.locator(".sortbar .n b").first.inner_text()
    page.get_by_role("link", name="智能网联新能源汽车").first.click()
    assert "cluster=A1" in page.url
    narrowed = page.locator(".sortbar .n b").first.inner_text()
    assert 0 < int(narrowed) < int(before)
    visit.go(path)
    page.get_by_role("link", name="下一页").click()
    assert "page=2" in page.url
    assert page.get_by_role("link", name="上一页").is_visible()
