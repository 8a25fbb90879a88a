"""A challenge from an empty form to its shortlist, the way the people of the demonstration would do it."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import NUMBER, People, fill, first_link, in_days, press, tick
from tests.factories import a_scan

TITLE = "轮端电子机械制动卡钳丝杠副润滑与夹紧力保持"
BACKGROUND = (
    "第三代平台取消制动液管路，前轮卡钳由电机、减速机构和滚柱丝杠直接推动制动块，首年需求约九万套。"
    "路试样车在长下坡连续制动后卡钳壳体温度达到一百一十八度，控制器两次降额。"
)
PROBLEM = (
    "高温连续制动后丝杠副润滑衰退，夹紧力偏差由 3% 增大到 11%；无夹紧力传感器时的力估计在制动块磨损后漂移，"
    "需要可标定、可诊断的力闭环方案，断电后能可靠释放并保留驻车能力。"
)


def write_indicator(visit: Visit, row: int, name: str, comparator: str, value: str, **more: str) -> None:
    columns = {
        "name": name,
        "comparator": comparator,
        "value": value,
        "condition": "端电压 48 V，环境温度 23 ℃",
        "method": "夹紧力台架实测",
        "verifier": "third_party",
        **more,
    }
    fill(visit, **{f"indicators__{row}__{column}": text for column, text in columns.items()})


def test_a_leader_lives_a_challenge_from_an_empty_form_to_open_contacts(window: People) -> None:
    editor = window("leader-editor")
    editor.go("/workbench/challenges/new")
    fill(editor, title=TITLE)
    press(editor, "建立草稿")
    number = re.search(NUMBER, editor.page.url).group()
    tick(editor, "clusters", "A1")
    fill(
        editor, industry="C36", region="500112", keywords="线控制动、夹紧力、滚柱丝杠", activity="development"
    )
    press(editor, "保存并下一步")
    fill(editor, background=BACKGROUND, problem=PROBLEM, trl_current="4", trl_target="7")
    press(editor, "保存并下一步")

    write_indicator(editor, 0, "最大夹紧力", "ge", "28", unit="kN", mark="must", weight="60")
    if not editor.page.locator('[name="indicators-1-name"]').count():
        press(editor, "＋ 添加一项")
        expect(editor.page.locator('[name="indicators-1-name"]')).to_be_visible()
    write_indicator(editor, 1, "工作温度", "range", "-40", second="125", unit="℃", mark="key", weight="40")
    press(editor, "保存并下一步")

    # Too early: everything that is missing is told at once, each with a way to its field.
    editor.go(f"/workbench/challenges/{number}/preview")
    press(editor, "提交审核")
    missing = editor.page.locator(".errsum a")
    assert missing.count() >= 4
    assert all("/terms" in missing.nth(i).get_attribute("href") for i in range(missing.count()))
    editor.complaints.clear()  # the browser notes the refusal

    missing.first.click()
    fill(
        editor,
        budget_fen="320",
        closes_on=in_days(40),
        duration_months="12",
        requirements="有制动执行器或丝杠传动的样机经历",
        acceptance="样件逐台做夹紧力台架试验，耐久由第三方出具报告",
        ip_terms="shared",
    )
    press(editor, "保存并下一步")
    fill(editor, annex="装车平台代号与目标采购价分解见内部文件")
    press(editor, "保存并下一步")
    attach(editor, f"/challenges/{number}", "卡钳安装空间.png")
    editor.go(f"/workbench/challenges/{number}/preview")
    press(editor, "提交审核")
    expect(editor.page.get_by_role("main")).to_contain_text("待审核")

    operator = window("operator")
    operator.go("/review/challenges")
    operator.page.locator(f'main a[href="/review/challenges/{number}"]').first.click()
    press(operator, "审核通过并发榜")

    editor.go(f"/challenges/{number}")
    places = editor.page.locator("#shortlist-panel article")
    expect(places.first).to_be_visible(timeout=60_000)
    expect(editor.page.locator("#shortlist-panel")).to_contain_text("重庆柝云制动系统有限公司")
    assert editor.complaints == operator.complaints == []

    # The list is the seeker's; a stranger sees the challenge without it.
    stranger = window("nobody", "phone")
    assert stranger.go(f"/challenges/{number}") == 200
    assert stranger.page.locator("#shortlist-panel").count() == 0
    assert "内部文件" not in stranger.page.content()
    with stranger.page.expect_download() as download:
        stranger.page.get_by_role("link", name="卡钳安装空间.png").click()
    assert download.value.suggested_filename == "卡钳安装空间.png"

    two_are_invited_and_one_accepts(window, editor, number)
    an_institute_is_interested_and_is_refused(window, editor, number)
    the_call_is_extended_and_the_versions_tell(window, number)


def two_are_invited_and_one_accepts(window: People, editor: Visit, number: str) -> None:
    editor.go(f"/workbench/matching/challenges/{number}")
    lines = editor.page.locator("article")
    brake = lines.filter(has_text="重庆柝云制动系统有限公司").first
    other = lines.filter(has_not_text="重庆柝云制动系统有限公司").first
    for line in (brake, other):
        box = line.locator("xpath=following::input[@form='invite-several'][1]")
        box.check()
    press(editor, "邀请所选单位")
    fill(editor, message="请按夹紧力台架的条件报一版样件方案，重点看高温连续制动后的保持能力。")
    press(editor, "发出邀请")
    editor.go("/workbench/invitations/sent")
    assert editor.page.get_by_role("main").locator("tbody tr", has_text=number).count() == 2
    expect(editor.page.get_by_role("main")).not_to_contain_text("@")

    sme = window("sme", "phone")
    sme.go("/workbench/letters")
    expect(sme.page.get_by_role("main")).to_contain_text(TITLE)
    sme.go("/workbench/invitations/received")
    answer = (
        sme.page.get_by_role("main").locator("tbody tr", has_text=number).get_by_role("link", name="去答复")
    )
    answer.click()
    main = sme.page.get_by_role("main")
    expect(main).to_contain_text("双方都同意之前，谁也看不到对方的联系方式。")
    press(sme, "接受邀请")
    expect(main).to_contain_text("只对这两家单位开放")
    expect(main.locator('a[href^="tel:"]').nth(1)).to_be_visible()

    editor.go("/workbench/invitations/sent")
    editor.page.get_by_role("main").locator("tbody tr", has_text=number).filter(
        has_text="已同意"
    ).get_by_role("link", name="查看").click()
    # Waited for: the click returns before the page has come.
    expect(editor.page.get_by_role("main").locator('a[href^="tel:"]').nth(1)).to_be_visible()
    assert editor.complaints == sme.complaints == []


def an_institute_is_interested_and_is_refused(window: People, editor: Visit, number: str) -> None:
    institute = window("institute")
    institute.go(f"/challenges/{number}")
    institute.page.get_by_role("main").get_by_role("link", name="表示意向").first.click()
    fill(institute, message="本院有摩擦副高温磨损的试验台，可承担丝杠副润滑衰退机理与寿命模型部分。")
    press(institute, "发出意向")
    institute.go("/workbench/interests")
    expect(institute.page.get_by_role("main").locator("tbody tr", has_text=number)).to_contain_text("待答复")

    editor.go("/workbench/interests")
    editor.page.get_by_role("main").locator("tbody tr", has_text=number).get_by_role(
        "link", name="去答复"
    ).click()
    main = editor.page.get_by_role("main")
    main.locator("summary", has_text="谢绝意向").click()
    editor.page.locator('[name="reason_code"]').select_option(index=1)
    fill(editor, reason="本榜单只征集整机样件方案。")
    press(editor, "确认谢绝意向")

    institute.go("/workbench/interests")
    line = institute.page.get_by_role("main").locator("tbody tr", has_text=number)
    expect(line).to_contain_text("已谢绝")
    expect(line).to_contain_text("本榜单只征集整机样件方案。")
    assert editor.complaints == institute.complaints == []


def the_call_is_extended_and_the_versions_tell(window: People, number: str) -> None:
    manager = window("leader")
    manager.go(f"/challenges/{number}")
    manager.page.get_by_role("link", name="延长或提前截止").click()
    extension = manager.page.locator('form[action$="/extend"]')
    extension.locator('[name="closes_on"]').fill(in_days(55))
    extension.locator('[name="reason"]').fill("多家单位需要补做高温台架试验。")
    press(manager, "确认延长")
    expect(manager.page.get_by_role("main")).to_contain_text("多家单位需要补做高温台架试验。")

    manager.go(f"/versions/challenge/{number}")
    press(manager, "比较")
    expect(manager.page.locator("#differences")).to_contain_text("处栏目有改动")
    reader = window("nobody", "phone")
    reader.go(f"/versions/challenge/{number}")
    expect(reader.page.get_by_role("main")).to_contain_text("多家单位需要补做高温台架试验。")
    assert reader.page.locator("#differences").count() == 0
    assert manager.complaints == reader.complaints == []


def attach(visit: Visit, address: str, name: str) -> None:
    """Upload a file on the page of a thing."""
    visit.go(address)
    chosen = {"name": name, "mimeType": "image/png", "buffer": a_scan()}
    visit.page.get_by_role("main").locator('input[type="file"]').first.set_input_files(chosen)
    press(visit, "上传")
    expect(visit.page.get_by_role("main").get_by_role("link", name=name)).to_be_visible()


def test_an_operator_returns_a_challenge_and_the_reasons_stand_beside_the_fields(window: People) -> None:
    operator = window("operator")
    operator.go("/review/challenges")
    operator.go(first_link(operator, rf"/review/challenges/{NUMBER}"))
    number = re.search(NUMBER, operator.page.url).group()
    organisation = operator.page.locator(".page-head, main").first.inner_text()
    who = "hengqi-pharma" if "衡岐" in organisation else "lixi-storage"
    fill(operator, reason="请补充试验条件后重新提交。")
    operator.page.get_by_text("逐栏意见", exact=True).click()
    fill(operator, reason__acceptance="请写明由谁检测、在哪里检测。")
    press(operator, "退回修改")

    owner = window(who)
    owner.go(f"/workbench/challenges/{number}/terms")
    main = owner.page.get_by_role("main")
    expect(main).to_contain_text("请补充试验条件后重新提交。")
    expect(main).to_contain_text("请写明由谁检测、在哪里检测。")


def test_who_saves_second_sees_both_texts_and_loses_neither(window: People) -> None:
    first, second = window("leader"), window("leader-editor")
    first.go("/workbench/challenges")
    start = first_link(first, rf"/workbench/challenges/{NUMBER}/basics").replace("basics", "problem")
    first.go(start)
    second.go(start)
    fill(first, background="甲写的背景：混线排程依赖人工经验，换型等待长。")
    press(first, "暂存草稿")
    fill(second, background="乙写的背景：焊装与总装节拍不一，缓存区频繁堵塞。")
    press(second, "暂存草稿")
    page = second.page.content()
    assert "甲写的背景" in page
    assert "乙写的背景" in page
    assert second.violations() == []
    assert second.overflow() <= 0
