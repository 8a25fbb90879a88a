"""What the scripts, the keyboard and large type are owed on a small market.

The pages themselves, with much on them, are judged in `journeys/test_sound_pages.py`.
"""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Site, Visit

Window = Callable[..., Visit]


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_a_missing_page_says_what_to_do(width: str, site: Site, open_window: Window) -> None:
    visit = open_window(width)
    assert visit.go(site.address + "/nowhere") == 404
    assert visit.page.get_by_role("link", name="返回首页").is_visible()
    assert visit.violations() == []


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_every_page_of_somebody_without_an_organisation_is_sound(
    width: str, site: Site, open_window: Window
) -> None:
    visit = open_window(width)
    visit.sign_in(site, "newcomer")
    links = visit.page.eval_on_selector_all(".wb-nav a", "all => all.map(a => a.getAttribute('href'))")
    assert "/workbench" in links
    found = []
    for link in links:
        status = visit.go(site.address + link)
        faults = [*visit.violations(), *visit.complaints, *([f"status {status}"] if status != 200 else [])]
        found += [f"{link}: {fault}" for fault in faults]
        if visit.overflow() > 0:
            found.append(f"{link}: wider than the window")
        visit.complaints.clear()
    assert found == []


def test_the_keyboard_reaches_the_content_and_always_sees_where_it_is(
    site: Site, open_window: Window
) -> None:
    visit = open_window()
    visit.go(site.address + "/challenges")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "skip"
    for _ in range(25):
        visit.page.keyboard.press("Tab")
        ring = visit.page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        where = visit.page.evaluate("document.activeElement.outerHTML.slice(0, 80)")
        assert (where, ring >= 3) == (where, True)
    visit.go(site.address + "/challenges")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


def test_filters_fold_on_a_phone_and_stay_open_without_scripts(site: Site, open_window: Window) -> None:
    with_scripts = open_window("phone")
    with_scripts.go(site.address + "/challenges")
    assert not with_scripts.page.locator("#filters").is_visible()
    with_scripts.page.get_by_role("button", name="筛选").click()
    assert with_scripts.page.locator("#filters").is_visible()

    without = open_window("phone", java_script_enabled=False)
    without.go(site.address + "/challenges")
    assert without.page.locator("#filters").is_visible()


def test_large_type_overflows_no_page(site: Site, open_window: Window) -> None:
    visit = open_window("phone")
    visit.go(site.address + "/accessibility")
    visit.page.get_by_role("main").get_by_role("link", name="长者模式").click()
    visit.page.wait_for_load_state("load")
    assert "elder" in visit.page.evaluate("document.documentElement.className")
    for path in ("/", "/challenges", "/challenges/{challenge_no}", "/login"):
        visit.go(site.path(path))
        assert (path, visit.overflow() <= 0) == (path, True)
