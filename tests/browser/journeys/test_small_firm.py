"""A small factory's owner: brings in a list, finds, keeps, is told of new things, and shows interest."""

import io
import re
import time

from openpyxl import Workbook
from playwright.sync_api import expect

from tests.browser.journeys.conftest import NUMBER, People, fill, first_link, press

# Another name on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"
FIRST, SECOND = f"卡钳壳体低压铸造 {SERIAL}", f"制动踏板模拟器总成 {SERIAL}"


def a_sheet(*rows: tuple[str, str, str]) -> dict[str, object]:
    """A workbook with the headings of the factory's own list."""
    book = Workbook()
    sheet = book.active
    sheet.append(["能力名称", "说明", "成熟度"])
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {"name": f"能力清单{SERIAL}.xlsx", "mimeType": kind, "buffer": content.getvalue()}


def test_an_owner_brings_in_capabilities_from_a_workbook_after_seeing_what_it_does(window: People) -> None:
    sme = window("sme", "phone")
    main = sme.page.get_by_role("main")
    sme.go("/workbench/imports")
    main.locator('a[href="/workbench/imports/new/capability"]').click()
    wrong = a_sheet((FIRST, "铝合金卡钳壳体低压铸造与机加，月产能两万件。", "12"))
    main.locator('input[type="file"]').set_input_files(wrong)
    press(sme, "上传并核对")
    expect(main).to_contain_text("改正文件后重新上传", timeout=60_000)
    expect(main.locator("#errors tbody tr").first).to_contain_text("第 2 行")
    expect(main.locator("#errors tbody tr").first).to_contain_text("12")

    sme.go("/workbench/imports/new/capability")
    right = a_sheet(
        (FIRST, "铝合金卡钳壳体低压铸造与机加，月产能两万件。", "8"),
        (SECOND, "踏板感觉模拟器总成，含位移与力传感器标定。", "7"),
    )
    main.locator('input[type="file"]').set_input_files(right)
    press(sme, "上传并核对")
    expect(main.get_by_role("button", name="确认导入")).to_be_visible(timeout=60_000)
    expect(main).to_contain_text(SECOND)
    press(sme, "确认导入")
    expect(main).to_contain_text("新增 2 条", timeout=60_000)
    sme.go("/workbench/capabilities")
    expect(main).to_contain_text(FIRST)
    assert sme.overflow() <= 0
    assert sme.complaints == []


def test_an_owner_searches_keeps_what_was_found_and_is_told_of_more(window: People) -> None:
    sme = window("sme")
    main = sme.page.get_by_role("main")
    sme.go("/search")
    box = sme.page.locator('input[name="q"]').first
    box.fill("制动")
    box.press("Enter")
    sme.page.wait_for_url("**/search?**")
    assert main.locator("mark.hl").count() >= 1
    main.get_by_role("link", name="榜单").first.click()
    assert "scope=challenge" in sme.page.url
    main.get_by_role("link", name="保存检索", exact=True).first.click()
    fill(sme, name=f"制动榜单 {SERIAL}")
    press(sme, "保存")
    expect(main).to_contain_text(f"制动榜单 {SERIAL}")
    main.get_by_role("link", name=f"制动榜单 {SERIAL}").click()
    assert main.locator("mark.hl").count() >= 1

    sme.go(first_link(sme, rf"/challenges/{NUMBER}"))
    number = re.search(NUMBER, sme.page.url).group()
    if main.get_by_role("button", name="收藏", exact=True).count():
        press(sme, "收藏")
    sme.go("/workbench/favourites")
    expect(main.locator(f'a[href="/challenges/{number}"]').first).to_be_visible()
    sme.go("/workbench/searches")
    sme.page.on("dialog", lambda dialog: dialog.accept())
    main.locator("article", has_text=SERIAL).get_by_role("button", name="删除").click()
    expect(main.locator("article", has_text=SERIAL)).to_have_count(0)
    assert sme.complaints == []


def test_an_owner_shows_interest_in_what_fits_and_takes_it_back(window: People) -> None:
    sme = window("sme", "phone")
    main = sme.page.get_by_role("main")
    sme.go("/workbench/matching/fits?kind=needs")
    links = [
        link
        for link in sme.page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        if re.match(rf"/workbench/needs/{NUMBER}/interest", link)
    ]
    assert links
    sme.go(links[0])
    fill(sme, message="本公司可按图纸小批交付样件，三周内提供全尺寸检测报告。")
    press(sme, "发出意向")
    expect(main).to_contain_text("待答复")
    expect(main).to_contain_text("双方都同意之前，谁也看不到对方的联系方式。")
    main.locator("summary", has_text="撤回意向").click()
    press(sme, "确认撤回意向")
    expect(main).to_contain_text("已撤回")
    assert sme.overflow() <= 0
    assert sme.complaints == []
