"""What the other side does: an SME finds what fits it and offers more; a buyer publishes a need."""

import re

from playwright.sync_api import Page, expect

from tests.browser.journeys.conftest import NUMBER, People, fill, first_link, in_days, press, tick


def test_an_sme_sees_what_fits_it_and_of_a_shortlist_its_own_line_alone(window: People) -> None:
    sme = window("sme")
    sme.go("/workbench/matching/fits")
    expect(sme.page.get_by_role("main")).to_contain_text("乘用车电子机械制动(EMB)卡钳执行器")
    sme.go(first_link(sme, rf"/challenges/{NUMBER}"))
    panel = sme.page.locator("#shortlist-panel")
    expect(panel).to_contain_text("本单位的名次")
    owners = {text.strip() for text in panel.locator("article .meta b").all_inner_texts()}
    assert owners == {"重庆柝云制动系统有限公司"}
    assert panel.locator(".rk-s b").count() == panel.locator("article").count() >= 1
    assert sme.complaints == []


def tab_to(page: Page, selector: str, at_most: int = 200) -> None:
    """Go on by the Tab key until a field has the focus."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key never reaches {selector}")


def test_a_capability_is_published_with_the_keyboard_alone(window: People) -> None:
    sme = window("sme")
    page, keyboard = sme.page, sme.page.keyboard
    sme.go("/workbench/capabilities/new")
    tab_to(page, '[name="title"]')
    keyboard.type("轮端制动卡钳惯性台架耐久试验")
    tab_to(page, '[name="summary"]')
    keyboard.type(
        "自有 48 V 惯性台架两座，可做卡钳夹紧力、响应与百万次耐久，环境舱覆盖零下四十度到一百二十五度。"
    )
    tab_to(page, '[name="clusters"][value="A1"]')
    keyboard.press("Space")
    tab_to(page, '[name="parameters-0-name"]')
    keyboard.type("夹紧力测量范围")
    tab_to(page, '[name="parameters-0-value"]')
    keyboard.type("40")
    tab_to(page, 'button[name="act"][value="publish"]')
    keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/capabilities/{NUMBER}"))
    expect(page.get_by_role("main")).to_contain_text("已发布")
    expect(page.locator("h1").first).to_contain_text("轮端制动卡钳惯性台架耐久试验")
    assert sme.complaints == []


def test_a_buyer_publishes_a_need_and_its_suppliers_appear(window: People) -> None:
    buyer = window("leader")
    buyer.go("/workbench/need-lists/new")
    fill(buyer, title="前轮执行器二级件寻源")
    buyer.page.get_by_role("main").locator("form button.btn-primary").first.click()
    buyer.page.wait_for_url(re.compile(rf"/need-lists/{NUMBER}"))
    buyer.page.get_by_role("main").get_by_role("link", name="添加一条需求").first.click()
    fill(
        buyer,
        title="行星滚柱丝杠副",
        specification="卡钳执行器用行星滚柱丝杠副，精度 C5 级，润滑寿命覆盖百万次制动，逐件打码追溯。",
        quantity="90000",
        unit="套",
        delivery_on=in_days(150),
        valid_until=in_days(60),
        max_price="173.21",
        keywords="滚柱丝杠、线控制动",
        indicators__0__name="额定动载荷",
        indicators__0__comparator="ge",
        indicators__0__value="28",
        indicators__0__unit="kN",
    )
    buyer.page.locator('[name="max_price_hidden"]').check()
    tick(buyer, "clusters", "A1")
    press(buyer, "保存并发布")
    buyer.page.wait_for_url(re.compile(rf"/needs/{NUMBER}"))
    path = "/needs/" + re.search(NUMBER, buyer.page.url).group()
    expect(buyer.page.locator("#shortlist-panel article").first).to_be_visible(timeout=60_000)
    assert buyer.complaints == []

    sme = window("sme")
    sme.go(path)
    assert "173.21" not in sme.page.content()
