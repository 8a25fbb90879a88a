"""A challenge is written and handed in with the keyboard alone; the focus is always to be seen."""

import re

from playwright.sync_api import Page, expect

from tests.browser.journeys.conftest import NUMBER, People, in_days

RING = """() => {
    const focused = document.activeElement, style = getComputedStyle(focused);
    return parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== 'none';
}"""


class Keyboard:
    """Everything a person without a mouse has."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, selector: str, at_most: int = 250) -> None:
        """Go on by the Tab key until an element has the focus, and be shown that it has."""
        for _ in range(at_most):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert self.page.evaluate(RING), f"no focus to be seen on {selector}"
                return
        raise AssertionError(f"the Tab key never reaches {selector}")

    def write(self, **values: str) -> None:
        """Type into fields by name, in their order on the page; in a name "__" stands for "-"."""
        for name, value in values.items():
            self.reach(f'[name="{name.replace("__", "-")}"]')
            self.page.keyboard.type(value)

    def choose(self, value: str) -> None:
        """Go through the choices of the focused select until the value is there."""
        choice = "document.activeElement.value"
        self.page.keyboard.press("Home")
        for _ in range(30):
            if self.page.evaluate(choice) == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{value} cannot be chosen with the keyboard")

    def date(self, name: str, day: str) -> None:
        """Type a day in the order in which this browser's language writes it."""
        year, month, date = day.split("-")
        for typed in (month + date + year, year + month + date):
            self.reach(f'[name="{name}"]')
            self.page.keyboard.type(typed)
            if self.page.locator(f'[name="{name}"]').input_value() == day:
                return
        raise AssertionError(f"{day} cannot be typed")

    def push(self, selector: str) -> None:
        self.reach(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


def test_a_challenge_is_written_and_handed_in_with_the_keyboard_alone(window: People) -> None:
    editor = window("leader-editor")
    keyboard, main = Keyboard(editor.page), editor.page.get_by_role("main")
    following = 'button[value="next"]'
    editor.go("/workbench/challenges/new")
    keyboard.write(title="电驱桥壳体轻量化与密封面平面度保持")
    keyboard.push("main button.btn-primary")
    number = re.search(NUMBER, editor.page.url).group()
    keyboard.reach('[name="clusters"][value="A1"]')
    editor.page.keyboard.press("Space")
    keyboard.push(following)
    keyboard.write(
        background="壳体由铸铁改为压铸铝后减重近四成，首年需求约六万套，装车后密封面渗油的返修率偏高。"
        "路试车在山区连续爬坡后油温达到一百二十度，密封面出现渗油，返修须拆下整桥，单台费用超过两千元。",
        problem="热循环后密封面平面度由 0.05 mm 增大到 0.14 mm，需要在不增重的条件下保持平面度，"
        "并在生产线上逐件检出；现有工艺靠人工研配，节拍跟不上，首批样件两成超差。",
    )
    keyboard.push(following)
    keyboard.write(indicators__0__name="密封面平面度")
    keyboard.reach('[name="indicators-0-comparator"]')
    keyboard.choose("le")
    keyboard.write(indicators__0__value="0.08", indicators__0__unit="mm")
    keyboard.write(indicators__0__condition="二百次热循环后", indicators__0__method="三坐标测量")
    keyboard.reach('[name="indicators-0-verifier"]')
    keyboard.choose("third_party")
    keyboard.reach('[name="indicators-0-mark"]')
    keyboard.choose("must")
    keyboard.write(indicators__0__weight="100")
    keyboard.push(following)
    assert f"/challenges/{number}/terms" in editor.page.url
    keyboard.write(budget_fen="180")
    keyboard.date("closes_on", in_days(40))
    keyboard.write(
        duration_months="10",
        requirements="有压铸壳体量产经历",
        acceptance="样件由第三方检测机构在其实验室按三坐标测量规程逐件检测，"
        "热循环在本公司台架上进行并出具报告",
    )
    keyboard.reach('[name="ip_terms"]')
    if editor.page.evaluate("document.activeElement.tagName") == "SELECT":
        keyboard.choose("shared")
    else:
        editor.page.keyboard.press("Space")
    keyboard.push(following)
    keyboard.write(annex="目标价分解见内部文件")
    keyboard.push(following)
    assert editor.page.url.endswith(f"/{number}/preview")
    keyboard.push("main form button.btn-primary")
    assert editor.page.locator(".errsum li").all_inner_texts() == []
    expect(main).to_contain_text("待审核")
    assert editor.complaints == []
