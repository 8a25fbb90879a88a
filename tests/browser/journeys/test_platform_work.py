"""The platform's daily work: act for firms, tell everybody, take down, count, keep the system."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pyotp
from playwright.sync_api import expect
from stdnum.cn import uscc

from marketplace.demo.accounts import DOMAIN, PASSWORD
from marketplace.kernel import outbox
from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import (
    NUMBER,
    Marketplace,
    People,
    fill,
    first_link,
    press,
    reload_until,
    tick,
)
from tests.browser.journeys.pages import faults_of
from tests.services.workforce import until

# Another firm on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"
FIRM, CODE = f"重庆沥石{SERIAL}模具有限公司", f"91500112ML{SERIAL}"


def confirm(visit: Visit, act: str, **values: str) -> None:
    """Open what asks for a reason, give it, and confirm."""
    main = visit.page.get_by_role("main")
    main.locator("summary", has_text=act).first.click()
    form = main.locator("details[open] form").last
    for name, value in values.items():
        form.locator(f'[name="{name}"]').fill(value)
    form.get_by_role("button", name=f"确认{act}").click()
    visit.page.wait_for_load_state("load")


def test_an_operator_enters_for_a_firm_that_agreed(window: People) -> None:
    operator = window("operator")
    main = operator.page.get_by_role("main")
    operator.go("/workbench/assisted")
    main.get_by_role("link", name="登记单位同意").first.click()
    press(operator, "登记")
    assert main.locator(".errsum a").count() >= 3
    operator.complaints.clear()  # the browser notes the refusal
    fill(
        operator,
        uscc=CODE + uscc.calc_check_digit(CODE),
        name=FIRM,
        given_by="裴立夏",
        given_on="2026-01-15",
    )
    operator.page.locator('[name="channel"]').first.select_option(index=1)
    for box in operator.page.locator('[name="scope"]').all():
        box.check()
    press(operator, "登记")
    expect(main).to_contain_text("已登记，单位草稿已建立")
    main.get_by_role("link", name="代录入能力").first.click()
    fill(operator, title=f"冲压模具镶件线切割 {SERIAL}", summary="慢走丝四台，可做硬质合金镶件，精度两微米。")
    tick(operator, "clusters", "A1")
    press(operator, "保存草稿")
    expect(main).to_contain_text(f"冲压模具镶件线切割 {SERIAL}")
    operator.go("/workbench/assisted")
    main.get_by_role("link", name=FIRM).first.click()
    expect(main).to_contain_text("代录入的内容")
    expect(main).to_contain_text("共 2 项")
    assert operator.complaints == []


def test_an_operator_announces_and_everybody_reads_it(window: People) -> None:
    operator = window("operator", "phone")
    main = operator.page.get_by_role("main")
    operator.go("/workbench/announcements/new")
    title = f"关于举办揭榜对接会的通知 {SERIAL}"
    fill(operator, title=title, body="定于下月举办对接会。\n\n请有意向的单位提前登记。")
    operator.page.locator('[name="category"]').first.select_option(index=1)
    press(operator, "保存草稿")
    address = operator.page.url.removeprefix(operator.site)
    assert window("nobody").go(address) == 404
    press(operator, "发布")
    reader = window("nobody")
    reader.go("/announcements")
    reader.page.get_by_role("link", name=title).click()
    expect(reader.page.get_by_role("main")).to_contain_text("请有意向的单位提前登记。")
    confirm(operator, "撤回", reason="会议改期。")
    expect(main).to_contain_text("会议改期。")
    assert operator.overflow() <= 0
    assert operator.complaints == reader.complaints == []


def test_an_operator_takes_down_and_the_owner_learns_why(window: People) -> None:
    owner, operator = window("leader"), window("operator")
    owner.go("/workbench/needs")
    owner.go(first_link(owner, rf"/need-lists/{NUMBER}"))
    number = re.search(NUMBER, first_link(owner, rf"/needs/{NUMBER}")).group()
    operator.go(f"/needs/{number}")
    confirm(operator, "下架", reason="图纸涉及第三方权利，请处理后再发布。")
    expect(operator.page.get_by_role("main")).to_contain_text("图纸涉及第三方权利")
    stranger = window("nobody", "phone")
    assert stranger.go(f"/needs/{number}") == 410
    expect(stranger.page.get_by_role("main")).to_contain_text("图纸涉及第三方权利")
    owner.go(f"/needs/{number}")
    confirm(owner, "申请恢复", reason="已换成自有图纸，请复核。")
    operator.go(f"/needs/{number}")
    expect(operator.page.get_by_role("main")).to_contain_text("已换成自有图纸")
    press(operator, "恢复发布")
    assert stranger.go(f"/needs/{number}") == 200
    assert owner.complaints == operator.complaints == []


def test_an_operator_reads_the_funnel_opens_a_number_and_exports(window: People) -> None:
    operator = window("operator")
    main = operator.page.get_by_role("main")
    operator.go("/workbench/funnel")
    expect(main.locator("canvas, svg[width]").first).to_be_visible()
    assert main.locator("table").count() >= 5
    with operator.page.expect_download() as download:
        main.get_by_role("button", name="导出 Excel").first.click()
    assert download.value.suggested_filename.endswith(".xlsx")
    number = main.locator("table td.num a").first
    said = int(number.inner_text())
    number.click()
    operator.page.wait_for_url("**/workbench/funnel/rows**")
    assert int(main.locator(".sortbar .n b").first.inner_text()) == said
    assert main.locator("table tbody tr").count() >= 1
    operator.go("/taxonomy/chain")
    expect(main.locator("h1")).to_be_visible()
    assert operator.complaints == []


def test_a_maintainer_turns_on_a_second_factor_and_signs_in_with_it(
    window: People, marketplace: Marketplace
) -> None:
    maintainer = window("maintainer")
    main = maintainer.page.get_by_role("main")
    maintainer.go("/workbench/account/second-factor")
    press(maintainer, "开始设置")
    prove(maintainer)
    if main.get_by_role("button", name="开始设置").count():
        press(maintainer, "开始设置")
    key = (
        main.locator("dd, td").filter(has_text=re.compile(r"^[A-Z2-7]{4}( [A-Z2-7]{4})+$")).first.inner_text()
    )
    code = pyotp.TOTP(key.replace(" ", ""))
    fill(maintainer, code="000000")
    press(maintainer, "确认并开启")
    expect(main.locator(".errsum")).to_be_visible()
    maintainer.complaints.clear()  # the browser notes the refusal
    fill(maintainer, code=code.now())
    press(maintainer, "确认并开启")
    assert main.locator("ol.codes li").count() == 10
    recovery = main.locator("ol.codes li").first.inner_text()
    assert maintainer.violations() == []

    entrance = window("nobody", "phone")
    entrance.go("/login")
    fill(entrance, email=f"maintainer@{DOMAIN}", password=PASSWORD)
    press(entrance, "登录")
    entrance.page.wait_for_url("**/login/code**")
    assert entrance.violations() == []
    fill(entrance, code=recovery)
    press(entrance, "登录")
    entrance.page.wait_for_url("**/workbench")

    # Off again: others come to the same marketplace with the password alone.
    maintainer.go("/workbench/account/security")
    maintainer.page.on("dialog", lambda dialog: dialog.accept())
    press(maintainer, "关闭两步验证")
    expect(main).to_contain_text("未开启")
    assert maintainer.complaints == entrance.complaints == []


def prove(visit: Visit) -> None:
    """Give the password again where the page asks for it."""
    if "/account/prove" in visit.page.url:
        fill(visit, password=PASSWORD)
        press(visit, "继续")


def test_a_maintainer_brings_in_a_new_version_of_a_classification(window: People) -> None:
    maintainer = window("maintainer")
    main = maintainer.page.get_by_role("main")
    maintainer.go("/workbench/taxonomy")
    with maintainer.page.expect_download() as download:
        main.locator('a[href="/taxonomy/chain/export.csv"]').click()
    content = download.value.path().read_bytes()
    head = content.decode("utf-8-sig").splitlines()[0].split(",")
    values = {"code": f"Z{SERIAL}", "name": f"示例链 {SERIAL}", "confirmed": "0", "source": "平台自拟示例"}
    line = ",".join(values.get(name, "") for name in head) + "\r\n"
    main.locator('a[href="/workbench/taxonomy/chain/import"]').click()
    sent = {"name": "chain.csv", "mimeType": "text/csv", "buffer": content.rstrip() + b"\r\n" + line.encode()}
    maintainer.page.locator("#file").set_input_files(sent)
    fill(maintainer, number=f"2026.{SERIAL}", reason="补充一条示例链", source="平台自拟示例")
    press(maintainer, "查看差异")
    expect(main).to_contain_text(f"示例链 {SERIAL}")
    press(maintainer, "启用新版本")
    maintainer.go("/taxonomy/chain")
    expect(main).to_contain_text(f"示例链 {SERIAL}")
    maintainer.go("/workbench/matching/monitor")
    expect(main).to_contain_text("失败的作业")
    assert maintainer.complaints == []


@contextmanager
def mail_goes_nowhere(marketplace: Marketplace) -> Iterator[None]:
    """What stands where the mail should go takes none, as a disk or a mail server does that has gone away."""
    folder, aside = marketplace.instance / "mail", marketplace.instance / "mail-aside"
    folder.mkdir(exist_ok=True)
    folder.rename(aside)
    folder.write_text("")
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


def take_further_attempts_as_made(marketplace: Marketplace) -> int:
    """Mail that has failed gets its last attempt now: the waits between all of them add up to minutes."""
    store = sqlite3.connect(marketplace.instance / "marketplace.sqlite3", timeout=30, isolation_level=None)
    with closing(store):
        return store.execute(
            "UPDATE outbox SET attempts = ?, leased_until = NULL WHERE kind = 'notifications.mail'"
            " AND last_error IS NOT NULL AND lease_token IS NULL AND done_at IS NULL AND dead_at IS NULL",
            [outbox.MAX_ATTEMPTS - 1],
        ).rowcount


def test_a_maintainer_finds_work_that_died_and_has_it_done_after_all(
    window: People, marketplace: Marketplace
) -> None:
    guest, address = window("nobody"), f"gu-{SERIAL}@guests.example.com"
    maintainer = window("maintainer", "phone")
    main = maintainer.page.get_by_role("main")
    dead = main.locator("section", has_text="失败的作业").locator("tbody tr", has_text="发送邮件")
    with mail_goes_nowhere(marketplace):
        guest.go("/register")
        fill(guest, email=address)
        press(guest, "发送验证邮件")
        until(lambda: take_further_attempts_as_made(marketplace), what="the mail has failed once")
        reload_until(maintainer, "/workbench/matching/monitor", dead)
        expect(dead).to_contain_text("FileExistsError")
        assert faults_of(maintainer) == []
    press(maintainer, "重试所选作业")
    expect(main).to_contain_text("已重新安排")
    assert re.search(r"/register/[\w-]+", marketplace.mail_to(address, "/register/"))
    reload_until(maintainer, "/workbench/matching/monitor", main.get_by_text("没有失败的作业。"))
    auditor = window("auditor")
    auditor.go("/workbench/trail")
    expect(auditor.page.get_by_role("main")).to_contain_text("重试失败作业")
    assert guest.complaints == maintainer.complaints == auditor.complaints == []


def test_an_auditor_checks_the_chain_and_takes_the_trail_along(window: People) -> None:
    auditor = window("auditor", "phone")
    main = auditor.page.get_by_role("main")
    auditor.go("/workbench/trail")
    press(auditor, "核验全链")
    expect(main).to_contain_text("审计链完整")
    with auditor.page.expect_download() as download:
        main.get_by_role("button", name="导出 Excel").first.click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert auditor.overflow() <= 0
    assert auditor.complaints == []
