"""The platform's people: who registers is verified, the matching is watched, what happened can be read."""

import re
import time

from playwright.sync_api import expect
from stdnum.cn import uscc

from tests.browser.journeys.conftest import Marketplace, People, fill, press, tick
from tests.factories import a_scan

# Another firm on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"
ADDRESS, PASSWORD = f"tan-{SERIAL}@forge.example.com", "three-quiet-forges-1987"
FIRM, CODE = f"重庆青溪{SERIAL}精锻有限公司", f"91500112XQ{SERIAL}"


def test_a_firm_registers_by_form_and_an_operator_verifies_it(
    window: People, marketplace: Marketplace
) -> None:
    person = window("nobody")
    person.go("/register")
    fill(person, email=ADDRESS)
    press(person, "发送验证邮件")
    mail = marketplace.mail_to(ADDRESS, "/register/")
    person.go(re.search(r"/register/[\w-]+", mail).group())
    fill(person, name="谭青", phone="023-01234567", password=PASSWORD, again=PASSWORD)
    person.page.locator('[name="terms"]').check()
    person.page.locator('[name="privacy"]').check()
    press(person, "下一步：单位信息")
    fill(person, uscc=CODE + uscc.calc_check_digit(CODE), name=FIRM)
    press(person, "下一步")
    fill(
        person,
        kind="enterprise",
        size="small",
        summary="冷温锻造企业，做转向与制动系统的锻件毛坯，模具自制。",
    )
    tick(person, "clusters", "A1")
    press(person, "保存并下一步")
    fill(person, region="500112", contact_name="谭青", contact_phone="023-01234567")
    press(person, "保存并下一步")
    press(person, "保存并下一步")
    scan = {"name": "营业执照.png", "mimeType": "image/png", "buffer": a_scan()}
    person.page.get_by_role("main").locator('input[type="file"]').set_input_files(scan)
    press(person, "上传")
    person.go("/workbench/organisation/edit/confirm")
    person.page.locator('[name="truthful"]').check()
    press(person, "提交核验")
    expect(person.page.get_by_role("main")).to_contain_text("待核验")

    operator = window("operator")
    operator.go("/workbench/verification")
    operator.page.get_by_role("link", name=FIRM, exact=True).click()
    for box in operator.page.locator('[name="checked"]').all():
        box.check()
    press(operator, "核验通过")

    person.go("/workbench/organisation")
    expect(person.page.get_by_role("main")).to_contain_text("已核验")
    assert person.complaints == operator.complaints == []


def test_an_operator_sees_what_was_matched_and_what_waits(window: People) -> None:
    operator = window("operator")
    operator.go("/workbench/matching/monitor")
    main = operator.page.get_by_role("main")
    expect(main).to_contain_text("没有失败的作业")
    expect(
        main.get_by_role("link", name=re.compile("EMB")).or_(main.get_by_text("生效名单")).first
    ).to_be_visible()
    runs = main.locator("table").last.locator("tbody tr")
    assert runs.count() >= 10
    assert operator.complaints == []


def test_an_auditor_reads_who_did_what_to_a_challenge(window: People) -> None:
    auditor = window("auditor")
    auditor.go("/workbench/trail")
    auditor.page.get_by_role("main").locator('a[href*="/history/challenge/"]').first.click()
    auditor.page.wait_for_url("**/workbench/history/challenge/**")
    lines = auditor.page.get_by_role("main").locator("table tbody tr")
    assert lines.count() >= 2
    assert auditor.complaints == []
