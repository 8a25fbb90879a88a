"""A challenge is written and handed in with the keyboard alone; the focus is always to be seen."""

import re

from playwright.sync_api import Page, expect

from tests.browser.journeys.conftest import NUMBER, People

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
        background="壳体由铸铁改为压铸铝后减重近四成，首年需求约六万套，装车后密封面渗油的返修率偏高。",
        problem="热循环后密封面平面度由 0.05 mm 增大到 0.14 mm，需要在不增重的条件下保持平面度并可在线检出。",
    )
    keyboard.push(following)
    keyboard.write(indicators__0__name="密封面平面度")
    keyboard.reach('[name="indicators-0-comparator"]')
    keyboard.write(indicators__0__value="0.08")
    keyboard.push(following)
    assert f"/challenges/{number}/terms" in editor.page.url
    keyboard.write(budget_fen="180")
    assert editor.page.locator('[name="budget_fen"]').input_value() == "180"
    keyboard.push(following)
    keyboard.write(annex="目标价分解见内部文件")
    keyboard.push("main button.btn-primary")
    assert editor.page.url.endswith(f"/{number}/preview")
    keyboard.reach("main button.btn-primary, main a.btn-primary")
    expect(main).to_contain_text("密封面平面度")
    assert editor.complaints == []
