"""Whoever is not here yet: from the link in the first mail to what only a verified firm may do.

A small factory's owner goes all the way, on a phone, to the first agreement; a leading firm goes as far as
it goes differently, up to the right to publish a challenge (`test_challenge.py` takes it from there).
"""

import re
import time
from dataclasses import dataclass

from playwright.sync_api import expect
from stdnum.cn import uscc

from tests.browser.conftest import Visit
from tests.browser.journeys.conftest import (
    NUMBER,
    Marketplace,
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

# Other firms on every run, so that one marketplace can be tested again and again.
SERIAL = f"{time.time_ns() // 1000 % 10_000_000:07d}"
SECRET = "three-quiet-forges-1987"


@dataclass(frozen=True)
class Firm:
    """Who registers, and for which firm."""

    person: str
    address: str
    name: str
    code: str
    size: str
    summary: str

    @property
    def uscc(self) -> str:
        return self.code + uscc.calc_check_digit(self.code)


FORGE = Firm(
    "谭青",
    f"tan-{SERIAL}@forge.example.com",
    f"重庆青溪{SERIAL}精锻有限公司",
    f"91500112XQ{SERIAL}",
    "small",
    "冷温锻造与旋锻企业，做电驱空心轴和转向系统的锻件毛坯，模具自制。",
)
CARMAKER = Firm(
    "江岷",
    f"jiang-{SERIAL}@cars.example.com",
    f"重庆岷舟{SERIAL}汽车股份有限公司",
    f"91500112MX{SERIAL}",
    "large",
    "整车企业，乘用车三个平台，本地一级配套商四十余家，二级件多数外购。",
)


def open_an_account(person: Visit, firm: Firm, marketplace: Marketplace) -> None:
    """The first two of five steps: the address is proved, and somebody stands behind it."""
    person.go("/register")
    fill(person, email=firm.address)
    press(person, "发送验证邮件")
    mail = marketplace.mail_to(firm.address, "/register/")
    person.go(re.search(r"/register/[\w-]+", mail).group())
    fill(person, name=firm.person, phone="023-01234567", password=SECRET, again=SECRET)
    for box in ("terms", "privacy"):
        person.page.locator(f'[name="{box}"]').check()
    press(person, "下一步：单位信息")


def describe_the_firm(person: Visit, firm: Firm, *, phone: str) -> None:
    """The third step, as far as its designations."""
    fill(person, uscc=firm.uscc, name=firm.name)
    press(person, "下一步")
    fill(person, kind="enterprise", size=firm.size, summary=firm.summary)
    tick(person, "clusters", "A1")
    press(person, "保存并下一步")
    fill(person, region="500112", contact_name=firm.person, contact_phone=phone)
    press(person, "保存并下一步")


def attach(person: Visit, name: str) -> None:
    scan = {"name": name, "mimeType": "image/png", "buffer": a_scan()}
    main = person.page.get_by_role("main")
    main.locator('input[type="file"]').first.set_input_files(scan)
    press(person, "上传")
    expect(main.get_by_role("link", name=name)).to_be_visible()
    main.get_by_role("link", name="返回", exact=True).click()


def hand_in(person: Visit) -> None:
    main = person.page.get_by_role("main")
    main.get_by_role("link", name="下一步", exact=True).click()
    person.page.locator('[name="truthful"]').check()
    press(person, "提交核验")
    expect(main).to_contain_text("待核验")


def open_for_review(operator: Visit, firm: Firm) -> None:
    operator.go("/workbench/verification")
    operator.page.get_by_role("link", name=firm.name, exact=True).click()
    operator.page.wait_for_url("**/workbench/verification/*")


def verify(operator: Visit, firm: Firm) -> None:
    open_for_review(operator, firm)
    for box in operator.page.locator('[name="checked"], [name="confirmed"]').all():
        box.check()
    press(operator, "核验通过")


def test_an_owner_registers_mends_is_verified_and_agrees_with_a_buyer(
    window: People, marketplace: Marketplace
) -> None:
    owner, operator = window("nobody", "phone"), window("operator")
    main = owner.page.get_by_role("main")
    open_an_account(owner, FORGE, marketplace)
    describe_the_firm(owner, FORGE, phone="023-00000000")
    press(owner, "保存并下一步")  # it has no designations
    attach(owner, "营业执照.png")
    hand_in(owner)

    open_for_review(operator, FORGE)
    operator.page.get_by_text("逐栏意见", exact=True).click()
    fill(operator, reason__contact_phone="这个号码打不通，请换一个能联系到的。")
    press(operator, "退回补正")

    # The letter leads to the firm, the firm to the field, and the reason stands beside it.
    read_letter(owner, "退回补正")
    main.get_by_role("link", name="继续填写").click()
    expect(main).to_contain_text("这个号码打不通，请换一个能联系到的。")
    assert owner.page.url.endswith("/edit/contact")
    fill(owner, contact_phone="023-01234567")
    press(owner, "保存并下一步")
    press(owner, "保存并下一步")
    hand_in(owner)
    verify(operator, FORGE)

    read_letter(owner, "单位已通过核验")
    owner.go("/workbench")
    main.get_by_role("link", name="登记能力成果").first.click()
    fill(
        owner,
        title="电驱动总成空心转子轴旋锻与精磨",
        summary="旋锻机两台，20CrMnTiH 空心轴一次成形，花键滚制、精磨和动平衡自有，随批出具首件全尺寸报告和"
        "磁粉探伤记录。现供两家电机厂，月产能一万五千件，内腔清洁度按油冷电机要求控制。",
        keywords="空心轴、旋锻、转子轴",
        parameters__0__name="轴承档外径公差",
        parameters__0__comparator="le",
        parameters__0__value="0.008",
        parameters__0__unit="mm",
    )
    tick(owner, "clusters", "A1")
    press(owner, "保存并发布")
    owner.page.wait_for_url(re.compile(rf"/capabilities/{NUMBER}"))
    assert owner.overflow() <= 0

    interested = main.get_by_role("link", name="表示意向 驱动电机空心转子轴", exact=True)
    reload_until(owner, "/workbench/matching/fits?kind=needs", interested)
    interested.click()
    fill(owner, message="旋锻线有余量，可先送两根精磨件和首件报告，三周内到样。", expires_on=in_days(6))
    press(owner, "发出意向")
    expect(main).to_contain_text("双方都同意之前，谁也看不到对方的联系方式。")
    approach = owner.page.url.removeprefix(owner.site)

    buyer = window("leader")
    buyer.go("/workbench/interests?direction=received")
    line = buyer.page.get_by_role("main").locator("tbody tr", has_text=FORGE.name)
    line.get_by_role("link", name="去答复").click()
    press(buyer, "同意对接")
    expect(buyer.page.get_by_role("main")).to_contain_text("023-01234567")
    owner.go(approach)
    expect(main).to_contain_text("只对这两家单位开放")
    expect(main).to_contain_text("已同意")
    assert main.locator('a[href^="tel:"]').count() >= 2
    assert owner.overflow() <= 0
    assert owner.complaints == operator.complaints == buyer.complaints == []


def test_a_leading_firm_registers_with_its_designation_and_may_then_publish_challenges(
    window: People, marketplace: Marketplace
) -> None:
    """What the owner above does not have: a designation, its certificate, and what the two open."""
    person, operator = window("nobody"), window("operator")
    main = person.page.get_by_role("main")
    open_an_account(person, CARMAKER, marketplace)
    describe_the_firm(person, CARMAKER, phone="023-01234567")
    fill(
        person,
        designations__0__kind="chain_master",
        designations__0__number=f"渝经信〔2025〕{SERIAL}",
        designations__0__issuer="重庆市经济和信息化委员会",
        designations__0__issued_on="2025-06-01",
    )
    press(person, "保存并下一步")
    attach(person, "营业执照.png")
    main.get_by_role("link", name=re.compile("上传证书")).click()
    attach(person, "链主认定文件.png")
    hand_in(person)
    assert main.get_by_role("link", name="我要发榜").count() == 0

    verify(operator, CARMAKER)
    person.go("/workbench")
    main.get_by_role("link", name="我要发榜").first.click()
    expect(main.get_by_role("button", name="建立草稿")).to_be_visible()
    stranger = window("nobody", "phone")
    stranger.go("/organisations?q=" + CARMAKER.name)
    stranger.go(first_link(stranger, r"/organisations/\d+"))
    expect(stranger.page.get_by_role("main")).to_contain_text("经核对的称号")
    assert person.complaints == operator.complaints == stranger.complaints == []
