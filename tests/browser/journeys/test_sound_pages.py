"""Every page there is, as each role comes to it by links, at both widths: axe finds nothing, the console is
silent (the content policy speaks there too), and nothing is wider than the window.

The list of pages is the application's own: a page that nobody comes to by a link, and for which no way is
given here, fails the last test.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator

import pyotp
import pytest
from stdnum.cn import uscc

from marketplace.demo.accounts import DOMAIN
from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import NUMBER, Marketplace, People, fill, first_link, press
from tests.browser.journeys.pages import Map, faults_of, links_of, shape_of

Photograph = Callable[[Visit, str], None]
Look = tuple[str, str, int, list[str]]

# Other people and firms on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"

# Where somebody begins; what is asked for by a form stands beside it.
STARTS = {
    "nobody": ["/", "/search?q=丝杠", "/search", "/challenges?q=没有的榜单", "/password/forgot"],
    "leader": ["/workbench", "/", "/search?q=制动"],
    "sme": ["/workbench", "/", "/search?q=制动"],
    "institute": ["/workbench", "/"],
    "operator": ["/workbench", "/", "/search?q=制动"],
    "auditor": ["/workbench", "/"],
    "maintainer": ["/workbench", "/"],
}  # fmt: skip


# Pages outside the workbench on which roles see different things; the others are alike for all who signed in.
DIFFERS_BY_ROLE = {
    "challenges.show", "needs.show", "needs.show_list", "capabilities.show", "organisations.show",
    "announcements.show", "postings.versions", "attachments.manage", "portal.home", "search.find",
}  # fmt: skip
FIRST_SIGNED_IN = "leader"


def concerns(who: str, address: str, endpoint: str) -> bool:
    """Whether a role has to look at a page itself."""
    inside = address.startswith(("/workbench", "/review"))
    return inside or who in ("nobody", FIRST_SIGNED_IN) or endpoint in DIFFERS_BY_ROLE


@pytest.fixture(scope="session")
def seen() -> dict[str, set[str]]:
    """Endpoint → by whom its page was judged."""
    return {}


@pytest.fixture(scope="session")
def shapes() -> set[str]:
    return set()


def walk(visit: Visit, who: str, routes: Map, shapes: set[str], photograph: Photograph) -> Iterator[Look]:
    """One page of each kind that links lead to, in the order in which they are met."""
    waiting, met = deque(STARTS[who]), set[tuple[str, ...]]()
    while waiting:
        address = waiting.popleft()
        status = visit.go(address)
        shape = shape_of(visit)
        faults = faults_of(visit, with_axe=shape not in shapes)
        if shape not in shapes:
            photograph(visit, f"{who} {address.partition('?')[0]}")
        shapes.add(shape)
        page = routes.page_of(visit.page.url.removeprefix(visit.site))
        yield address, page[0] if page else "", status, faults
        met |= {page} if page else set()
        for link in links_of(visit):
            there = routes.page_of(link)
            if there and there not in met and concerns(who, link, there[0]):
                met.add(there)
                waiting.append(link.partition("#")[0])


@pytest.mark.parametrize("who", STARTS)
def test_every_page_that_a_role_comes_to_is_sound(
    who: str,
    window: People,
    routes: Map,
    seen: dict[str, set[str]],
    shapes: set[str],
    photograph: Photograph,
) -> None:
    visit, wrong = window(who), {}
    for address, endpoint, status, faults in walk(visit, who, routes, shapes, photograph):
        seen.setdefault(endpoint, set()).add(who)
        if status != 200:
            faults.append(f"answered {status}")
        if faults:
            wrong[address] = faults
    assert len(seen) > 10
    assert wrong == {}


# --- where only a letter, a form or a state leads -----------------------------------------------------------


class Doors:
    """Opens pages that no link leads to, judges each, and remembers which they were."""

    def __init__(self, routes: Map, seen: dict[str, set[str]], photograph: Photograph) -> None:
        self.routes, self.seen, self.photograph = routes, seen, photograph
        self.wrong: dict[str, list[str]] = {}

    def judge(self, visit: Visit) -> None:
        address = visit.page.url.removeprefix(visit.site)
        page = self.routes.page_of(address)
        assert page, address
        self.seen.setdefault(page[0], set()).add("by its own way")
        self.photograph(visit, f"door {page[0]}")
        if faults := faults_of(visit):
            self.wrong[page[0]] = faults

    def open(self, visit: Visit, address: str) -> None:
        status = visit.go(address)
        assert status == 200, address
        self.judge(visit)


def link_in(mail: str, pattern: str) -> str:
    """The path of the link of a mail."""
    found = re.search(pattern, mail)
    assert found, mail
    return found.group()


def test_pages_behind_letters_forms_and_states_are_sound(
    window: People,
    marketplace: Marketplace,
    routes: Map,
    seen: dict[str, set[str]],
    photograph: Photograph,
) -> None:
    doors = Doors(routes, seen, photograph)
    through_an_invitation(window, marketplace, doors)
    through_a_registration(window, marketplace, doors)
    through_files_searches_and_claims(window, doors)
    through_platform_pages(window, marketplace, doors)
    through_a_published_challenge(window, doors)
    assert doors.wrong == {}


def through_an_invitation(window: People, marketplace: Marketplace, doors: Doors) -> None:
    leader, guest, address = window("leader"), window("nobody"), f"yin-{SERIAL}@guests.example.com"
    leader.go("/workbench/organisation/members")
    leader.page.locator("#invite [name=email]").fill(address)
    press(leader, "发送邀请")
    path = link_in(marketplace.mail_to(address, "/invitations/"), r"/invitations/[\w-]+")
    doors.open(guest, path)
    guest.page.get_by_role("link", name="注册并加入").click()
    doors.judge(guest)


def through_a_registration(window: People, marketplace: Marketplace, doors: Doors) -> None:
    person, address = window("nobody"), f"lei-{SERIAL}@guests.example.com"
    main = person.page.get_by_role("main")
    person.go("/register")
    fill(person, email=address)
    press(person, "发送验证邮件")
    doors.open(person, link_in(marketplace.mail_to(address, "/register/"), r"/register/[\w-]+"))
    secret = "seven-calm-rivers-2031"
    fill(person, name="雷岩", phone="023-01234567", password=secret, again=secret)
    for box in ("terms", "privacy"):
        person.page.locator(f'[name="{box}"]').check()
    press(person, "下一步：单位信息")
    doors.open(person, "/workbench/organisation/register")
    doors.open(person, "/workbench/account/consent")
    person.go("/organisations?q=巴渡")
    person.go(first_link(person, r"/organisations/\d+"))
    code = re.search(r"\b[0-9A-HJ-NP-RTUWXY]{18}\b", main.inner_text())
    assert code
    doors.open(person, f"/workbench/organisation/join/{code.group()}")

    # Whoever has just signed in is not asked for the password again, but may be shown where it is asked.
    doors.open(person, "/workbench/account/prove")
    doors.open(person, "/workbench/account/email")
    fill(person, email="new-" + address)
    press(person, "发送确认邮件")
    mail = marketplace.mail_to("new-" + address, "/email/confirm/")
    doors.open(person, link_in(mail, r"/email/confirm/[\w-]+"))

    person.go("/workbench/account/second-factor")
    press(person, "开始设置")
    key = main.locator("dd").filter(has_text=re.compile(r"^[A-Z2-7]{4}( [A-Z2-7]{4})+$")).first.inner_text()
    doors.judge(person)
    fill(person, code=pyotp.TOTP(key.replace(" ", "")).now())
    press(person, "确认并开启")
    entrance = window("nobody")
    entrance.go("/login")
    fill(entrance, email=address, password=secret)
    press(entrance, "登录")
    entrance.page.wait_for_url("**/login/code**")
    doors.judge(entrance)
    entrance.go("/password/forgot")
    fill(entrance, email=address)
    press(entrance, "发送重置邮件")
    mail = marketplace.mail_to(address, "/password/reset/")
    doors.open(entrance, link_in(mail, r"/password/reset/[\w-]+"))


def through_files_searches_and_claims(window: People, doors: Doors) -> None:
    sme = window("sme")
    main = sme.page.get_by_role("main")
    sme.go("/workbench/imports/new/capability")
    rows = f"能力名称,简介\n壳体精密镗削 {SERIAL},四轴镗铣，同轴度八微米。\n"
    sent = {"name": f"清单{SERIAL}.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    main.locator('input[type="file"]').set_input_files(sent)
    press(sme, "上传并核对")
    main.get_by_role("button", name="确认导入").wait_for(timeout=60_000)
    doors.judge(sme)
    main.get_by_role("link", name="修改列的对应").click()
    doors.judge(sme)

    sme.go("/organisations?status=unclaimed&q=叠杉")
    sme.go(first_link(sme, r"/organisations/\d+"))
    main.get_by_role("link", name="认领这个单位").click()
    doors.judge(sme)
    fill(sme, statement="叠杉粉末冶金是本公司更名前的名称，附更名通知书。")
    press(sme, "提交认领")
    doors.open(sme, first_link_after(sme, "/workbench/claims", r"/workbench/claims/\d+"))
    operator = window("operator")
    path = first_link_after(operator, "/workbench/verification/claims", r"/workbench/verification/claims/\d+")
    doors.open(operator, path)
    press(sme, "撤回认领")


def first_link_after(visit: Visit, address: str, pattern: str) -> str:
    visit.go(address)
    return first_link(visit, pattern)


def through_platform_pages(window: People, marketplace: Marketplace, doors: Doors) -> None:
    operator, code = window("operator"), f"91500112QA{SERIAL}"
    operator.go("/workbench/assisted/new")
    fill(
        operator,
        uscc=code + uscc.calc_check_digit(code),
        name=f"重庆青杉{SERIAL}弹簧有限公司",
        given_by="孟初",
        given_on="2026-02-03",
    )
    operator.page.locator('[name="channel"]').first.select_option(index=1)
    for box in operator.page.locator('[name="scope"]').all():
        box.check()
    press(operator, "登记")
    doors.judge(operator)
    consent = operator.page.url.removeprefix(operator.site)
    doors.open(operator, first_link(operator, r"/workbench/assisted/\d+/need"))
    operator.go(consent)
    path = first_link(operator, r"/workbench/assisted/organisations/\d+/basics").replace("basics", "contact")
    doors.open(operator, path)
    address = f"meng-{SERIAL}@guests.example.com"
    fill(operator, region="500112", contact_name="孟初", contact_phone="023-01234567", contact_email=address)
    operator.page.get_by_role("main").locator('button[value="stay"]').click()
    operator.go(consent)
    press(operator, "发送接管链接")
    mail = marketplace.mail_to(address, "/takeover/")
    guest = window("nobody")
    doors.open(guest, link_in(mail, r"/takeover/[\w-]+"))
    mail = marketplace.mail_to(f"operator@{DOMAIN}", "/letters/unsubscribe/")
    doors.open(guest, link_in(mail, r"/letters/unsubscribe/[\w.-]+"))


def deadline_of(visit: Visit, challenge: str) -> str | None:
    """Where the deadline of a challenge is moved; drafts have none."""
    visit.go(challenge)
    return next((link for link in links_of(visit) if link.endswith("/deadline")), None)


def through_a_published_challenge(window: People, doors: Doors) -> None:
    leader = window("leader")
    leader.go("/workbench/challenges")
    own = [link for link in links_of(leader) if re.fullmatch(rf"/challenges/{NUMBER}", link)]
    deadline = next(filter(None, (deadline_of(leader, link) for link in own)))
    place = first_link(leader, rf"/workbench/matching/runs/{NUMBER}/places/1")
    doors.open(leader, deadline)
    doors.open(leader, place)  # leads to the list with this place open
    run = place.removesuffix("/places/1")
    doors.open(leader, f"{run}/diff/{run.rpartition('/')[2]}")
    doors.open(leader, "/workbench/organisation/assisted")
    doors.open(leader, "/taxonomy/cluster/compare")


def test_no_page_was_forgotten(routes: Map, seen: dict[str, set[str]]) -> None:
    assert set(STARTS) <= set().union(*seen.values()), "run this file as a whole"
    assert sorted(routes.endpoints() - set(seen)) == []


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
