"""A research institute: its standing, what it can do, being asked, being told, and asking."""

import io
import re
import time

from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import (
    NUMBER,
    People,
    fill,
    first_link,
    in_days,
    press,
    read_letter,
    reload_until,
    tick,
)
from tests.factories import a_scan

# Other things on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"
INSTITUTE = "巴屏机械科学研究院有限公司"
CAPABILITY = f"制动摩擦副热衰退与磨粒磨损台架试验 {SERIAL}"
ASKED_FOR = f"制动摩擦副热衰退台架试验服务 {SERIAL}"
FOUND = f"踏板铰接衬套磨粒磨损寿命试验服务 {SERIAL}"
SEARCH = f"磨粒磨损的需求 {SERIAL}"


def test_an_institute_is_asked_for_one_thing_and_asks_for_another(window: People) -> None:
    institute, buyer = window("institute"), window("leader")
    main = institute.page.get_by_role("main")
    institute.go("/workbench/capabilities/new")
    fill(
        institute,
        title=CAPABILITY,
        summary="惯性台架与销盘磨损试验机各两台，可做制动摩擦副热衰退、磨粒磨损和衬套寿命试验，"
        "表面最高温度六百五十度，给出磨损率、摩擦系数衰减曲线和寿命模型，报告带检测机构标识。",
        keywords="摩擦副、热衰退、磨粒磨损、寿命试验",
        parameters__0__name="表面最高温度",
        parameters__0__value="650",
        parameters__0__unit="℃",
    )
    tick(institute, "clusters", "A1")
    press(institute, "保存并发布")
    institute.page.wait_for_url(re.compile(rf"/capabilities/{NUMBER}"))
    institute.go("/search?q=磨粒磨损&scope=need")
    main.get_by_role("link", name="保存检索", exact=True).first.click()
    fill(institute, name=SEARCH, frequency="at_once")
    press(institute, "保存")

    asked_for, found = two_needs_are_published(buyer)
    # Saved searches are looked through every half minute; the institute does other things meanwhile.
    its_standing_is_confirmed(institute, window)
    it_is_invited_and_accepts(institute, buyer, asked_for)
    it_is_told_of_the_other_and_shows_interest(institute, buyer, found)

    for list_of, holding in (("capabilities", CAPABILITY), ("interests", FOUND)):
        institute.go(f"/workbench/{list_of}")
        with institute.page.expect_download() as download:
            main.get_by_role("button", name="导出 Excel").click()
        book = load_workbook(io.BytesIO(download.value.path().read_bytes()))
        cells = [cell for row in book.worksheets[0].values for cell in row]
        assert any(holding in str(cell) for cell in cells)
    assert institute.complaints == buyer.complaints == []


def its_standing_is_confirmed(institute: Visit, window: People) -> None:
    """A designation counts with the public once an operator has seen its certificate."""
    main = institute.page.get_by_role("main")
    institute.go("/workbench/organisation")
    main.get_by_role("link", name="修改", exact=True).click()
    main.get_by_role("link", name=re.compile("资质称号")).first.click()
    institute.page.wait_for_url("**/edit/designations")
    number = f"GR2025{SERIAL}"
    fill(
        institute,
        designations__0__kind="high_tech",
        designations__0__number=number,
        designations__0__issuer="重庆市科学技术局",
        designations__0__issued_on="2025-10-16",
        designations__0__valid_to=in_days(900),
    )
    press(institute, "保存并下一步")
    main.get_by_role("link", name=re.compile("上传证书")).click()
    certificate = {"name": f"高新技术企业证书{SERIAL}.png", "mimeType": "image/png", "buffer": a_scan()}
    main.locator('input[type="file"]').set_input_files(certificate)
    press(institute, "上传")
    institute.go("/workbench/organisation")
    expect(main.locator("tbody tr", has_text=number)).to_contain_text("待核对")
    public = first_link(institute, r"/organisations/\d+")
    stranger = window("nobody", "phone")
    stranger.go(public)
    assert number not in stranger.page.content()

    operator = window("operator")
    operator.go(public)
    operator.page.get_by_role("main").get_by_role("link", name="核验页").click()
    line = operator.page.get_by_role("main").locator("tbody tr", has_text=number)
    expect(line.get_by_role("link", name=f"高新技术企业证书{SERIAL}.png")).to_be_visible()
    line.get_by_role("checkbox").check()
    press(operator, "保存称号核对结果")
    stranger.go(public)
    expect(stranger.page.get_by_role("main")).to_contain_text(number)
    assert stranger.overflow() <= 0
    assert operator.complaints == stranger.complaints == []


def two_needs_are_published(buyer: Visit) -> list[str]:
    """Of one list; their paths."""
    buyer.go("/workbench/need-lists/new")
    fill(buyer, title=f"制动部件外委试验 {SERIAL}")
    press(buyer, "保存")
    buyer.page.wait_for_url(re.compile(rf"/need-lists/{NUMBER}"))
    own_list, paths = buyer.page.url, []
    for title, specification in (
        (
            ASKED_FOR,
            "制动摩擦副热衰退台架试验，表面温度六百度以上，给出摩擦系数衰减曲线和磨损率，出具检测报告。",
        ),
        (FOUND, "踏板铰接衬套含砂工况磨粒磨损寿命试验，给出磨损率和寿命模型，试验后提供断面照片。"),
    ):
        buyer.page.goto(own_list)
        buyer.page.get_by_role("main").get_by_role("link", name="添加一条需求").first.click()
        fill(
            buyer,
            title=title,
            specification=specification,
            quantity="24",
            unit="件",
            delivery_on=in_days(120),
            valid_until=in_days(45),
            keywords="寿命试验",
        )
        tick(buyer, "clusters", "A1")
        press(buyer, "保存并发布")
        buyer.page.wait_for_url(re.compile(rf"/needs/{NUMBER}"))
        paths.append(buyer.page.url.removeprefix(buyer.site))
    return paths


def it_is_invited_and_accepts(institute: Visit, buyer: Visit, need: str) -> None:
    main, theirs = institute.page.get_by_role("main"), buyer.page.get_by_role("main")
    invite = theirs.get_by_role("link", name=f"邀请对接 {CAPABILITY}", exact=True)
    reload_until(buyer, "/workbench/matching" + need, invite)
    invite.click()
    fill(buyer, message="请按含砂与高温两种工况各报一版试验大纲和周期，样件由我方提供。")
    press(buyer, "发出邀请")
    read_letter(institute, ASKED_FOR)
    assert main.locator('a[href^="tel:"]').count() == 0
    press(institute, "接受邀请")
    expect(main).to_contain_text("只对这两家单位开放")
    assert main.locator('a[href^="tel:"]').count() >= 2
    read_letter(buyer, ASKED_FOR)
    expect(theirs).to_contain_text(INSTITUTE)
    assert theirs.locator('a[href^="tel:"]').count() >= 2


def it_is_told_of_the_other_and_shows_interest(institute: Visit, buyer: Visit, need: str) -> None:
    main, theirs = institute.page.get_by_role("main"), buyer.page.get_by_role("main")
    read_letter(institute, SEARCH)
    main.get_by_role("link", name=FOUND).first.click()
    assert institute.page.url.endswith(need)
    press(institute, "收藏")
    institute.go("/workbench/favourites?kind=need")
    main.get_by_role("link", name=FOUND).click()
    main.get_by_role("link", name="表示意向").first.click()
    own = institute.page.locator('[name="capability"] option', has_text=CAPABILITY)
    fill(institute, capability=own.get_attribute("value"), message="本院有含砂磨损试验机，可先做两件摸底。")
    press(institute, "发出意向")
    approach = institute.page.url.removeprefix(institute.site)

    read_letter(buyer, FOUND)
    press(buyer, "同意对接")
    institute.go(approach)
    expect(main).to_contain_text("已同意")
    assert main.locator('a[href^="tel:"]').count() >= 2
    assert theirs.locator('a[href^="tel:"]').count() >= 2
