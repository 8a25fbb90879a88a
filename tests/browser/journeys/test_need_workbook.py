"""A leading firm's purchaser: a list of needs from the template that the site hands out to its suppliers."""

import io
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import NUMBER, People, fill, first_link, in_days, press

# Another list on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHAFT, HOUSING, BEARING = f"电机空心转子轴 {SERIAL}", f"减速器轻合金壳体 {SERIAL}", f"高速角接触轴承 {SERIAL}"


def lines() -> list[dict[str, str]]:
    """Three needs, as the headings of the template call their facts."""
    common = {
        "有效期至": in_days(60),
        "交货日期": in_days(150),
        "交货地点": "重庆市渝北区",
        "所属产业集群": "智能网联新能源汽车",
    }
    return [
        {
            **common,
            "标的名称": SHAFT,
            "技术规格": "20CrMnTiH 旋锻空心结构，内腔走油冷却，花键滚制，精磨和动平衡完成后交付。",
            "数量": "120000",
            "计量单位": "件",
            "内部最高限价（元）": "86.5",
            "关键词": "空心轴、旋锻",
            "规格指标": "★轴承档外径公差≤0.012 mm",
        },
        {
            **common,
            "标的名称": HOUSING,
            "技术规格": "AlSi10MnMg 高真空压铸，密封面精加工，百分之百气密检测。",
            "数量": "约六万",
            "计量单位": "套",
        },
        {
            **common,
            "标的名称": BEARING,
            "技术规格": "转速两万转以上的混合陶瓷轴承，油冷工况，逐套打码追溯。",
            "数量": "240000",
            "计量单位": "套",
        },
    ]


def first_sheet(file: Path) -> Worksheet:
    """A download has no ending to tell its kind by."""
    return load_workbook(io.BytesIO(file.read_bytes())).worksheets[0]


def filled_in(template: Path, rows: Iterable[Mapping[str, str]]) -> dict[str, object]:
    """The template with rows under its headings, as somebody types them in."""
    sheet = first_sheet(template)
    columns = {cell.value: cell.column for cell in sheet[1]}
    for number, row in enumerate(rows, start=2):
        for heading, value in row.items():
            sheet.cell(number, columns[heading], value)
    content = io.BytesIO()
    sheet.parent.save(content)
    return {"name": f"二级件寻源{SERIAL}.xlsx", "mimeType": SHEET, "buffer": content.getvalue()}


def upload(buyer: Visit, sent: dict[str, object]) -> None:
    buyer.page.get_by_role("main").locator('input[type="file"]').set_input_files(sent)
    press(buyer, "上传并核对")


def test_a_purchaser_brings_in_a_list_mends_one_line_and_sees_who_could_deliver(window: People) -> None:
    buyer = window("leader-editor")
    main = buyer.page.get_by_role("main")
    buyer.go("/workbench/need-lists/new")
    fill(buyer, title=f"电驱二级件年度寻源 {SERIAL}")
    press(buyer, "保存")
    buyer.page.wait_for_url(re.compile(rf"/need-lists/{NUMBER}"))
    own_list = buyer.page.url.removeprefix(buyer.site)
    main.get_by_role("link", name="从文件导入").click()
    uploading = buyer.page.url.removeprefix(buyer.site)
    with buyer.page.expect_download() as download:
        main.get_by_role("link", name="Excel 模板").click()
    template = download.value.path()

    # One quantity is no number: the dry run says so, on the page and in a file, and nothing comes in.
    rows = lines()
    upload(buyer, filled_in(template, rows))
    wrong = main.locator("#errors tbody tr")
    expect(wrong).to_have_count(1, timeout=60_000)
    for said in ("第 3 行", "数量", "约六万"):
        expect(wrong).to_contain_text(said)
    with buyer.page.expect_download() as download:
        main.locator("#errors").get_by_role("button", name="导出 Excel").click()
    table = first_sheet(download.value.path())
    assert table.max_row == 2
    assert "约六万" in [cell.value for cell in table[2]]
    buyer.go(own_list)
    expect(main).to_contain_text("清单里还没有条目")

    rows[1]["数量"] = "60000"
    buyer.go(uploading)
    upload(buyer, filled_in(template, rows))
    expect(main.get_by_role("button", name="确认导入")).to_be_visible(timeout=60_000)
    preview = main.locator("#rows tbody tr")
    expect(preview).to_have_count(3)
    expect(preview.filter(has_text=HOUSING)).to_contain_text("60000")
    press(buyer, "确认导入")
    expect(main).to_contain_text("新增 3 条", timeout=60_000)

    # What came in are drafts; one is published and gets its suppliers, and its ceiling stays with the firm.
    buyer.go(own_list)
    expect(main.locator("tbody tr").filter(has_text="草稿")).to_have_count(3)
    main.get_by_role("link", name=SHAFT).click()
    press(buyer, "发布")
    need = re.search(rf"/needs/{NUMBER}", buyer.page.url).group()
    expect(buyer.page.locator("#shortlist-panel article").first).to_be_visible(timeout=60_000)
    buyer.go(first_link(buyer, rf"/workbench/matching/needs/{NUMBER}"))
    assert main.locator("article").count() >= 2
    buyer.go(f"/workbench{need}/edit")
    assert float(main.locator('[name="max_price"]').input_value()) == 86.5
    assert main.locator('[name="max_price_hidden"]').is_checked()
    stranger = window("nobody", "phone")
    stranger.go(need)
    expect(stranger.page.get_by_role("main")).to_contain_text("0.012")
    assert "86.5" not in stranger.page.content()
    assert stranger.overflow() <= 0
    assert buyer.complaints == stranger.complaints == []
