"""What the scripts add: rows that come and go, a token on every write, no second sending, honest failures."""

from collections.abc import Callable

from tests.browser.conftest import Site, Visit

Window = Callable[..., Visit]
NEW_CAPABILITY = "/workbench/capabilities/new"


def test_rows_are_added_and_taken_away_where_somebody_works(site: Site, open_window: Window) -> None:
    visit = open_window()
    visit.sign_in(site, "sme")
    visit.go(site.address + NEW_CAPABILITY)
    visit.page.get_by_role("button", name="添加一项证书").click()
    field = visit.page.locator("#certificates-0-name")
    assert visit.page.evaluate("document.activeElement.id") == "certificates-0-name"
    field.fill("IATF 16949")
    visit.page.get_by_role("button", name="添加一项证书").click()
    assert visit.page.locator("#certificates-rows .rows-edit").count() == 2
    visit.page.locator("#certificates-rows .rows-edit").nth(1).get_by_role("button", name="删除此项").click()
    assert visit.page.locator("#certificates-rows .rows-edit").count() == 1
    assert field.input_value() == "IATF 16949"
    assert visit.complaints == []


def test_what_was_typed_survives_a_refusal_and_the_summary_leads_to_the_field(
    site: Site, open_window: Window
) -> None:
    visit = open_window()
    visit.sign_in(site, "sme")
    visit.go(site.address + NEW_CAPABILITY)
    visit.page.get_by_label("简介").fill("太短")
    visit.page.get_by_role("button", name="保存并发布").click()
    visit.page.wait_for_selector("[data-focus]")
    assert "errsum" in visit.page.evaluate("document.activeElement.className")
    assert visit.page.get_by_label("简介").input_value() == "太短"
    link = visit.page.locator(".errsum a").first
    target = link.get_attribute("href")
    assert target
    assert visit.page.locator(target).count() == 1
    assert visit.violations() == []


def test_a_partial_request_carries_the_token(site: Site, open_window: Window) -> None:
    visit = open_window()
    visit.sign_in(site, "sme")
    visit.go(site.address + NEW_CAPABILITY)
    with visit.page.expect_request(
        lambda r: r.method == "POST" and r.headers.get("hx-request") == "true"
    ) as sent:
        visit.page.get_by_role("button", name="添加一项", exact=False).first.click()
    assert sent.value.headers["x-csrftoken"] == visit.page.locator("meta[name=csrf-token]").get_attribute(
        "content"
    )


def test_a_failed_partial_request_is_told(site: Site, open_window: Window) -> None:
    visit = open_window()
    visit.sign_in(site, "sme")
    visit.go(site.address + NEW_CAPABILITY)
    visit.page.route(
        "**/capabilities/new",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    visit.page.get_by_role("button", name="添加一项", exact=False).first.click()
    assert visit.page.get_by_role("alert").inner_text().startswith("操作没有完成")


def test_a_form_is_sent_once_however_often_the_button_is_pressed(site: Site, open_window: Window) -> None:
    visit = open_window()
    visit.sign_in(site, "sme")
    visit.go(site.address + NEW_CAPABILITY)
    visit.page.get_by_label("名称", exact=True).first.fill("只登记一次的能力")
    sent: list[str] = []
    visit.page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    visit.page.evaluate(
        """() => {
            const button = [...document.querySelectorAll('button[name=act]')].find(b => b.value === 'save');
            button.click(); button.click(); button.click();
        }"""
    )
    visit.page.wait_for_load_state("load")
    visit.page.wait_for_url(lambda address: not address.endswith("/new"))
    assert len(sent) == 1
