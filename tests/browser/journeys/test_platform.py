"""The platform's people: the matching is watched, what happened can be read."""

import re

from playwright.sync_api import expect

from tests.browser.journeys.conftest import People


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
    main = auditor.page.get_by_role("main")
    auditor.go("/workbench/trail?kind=challenge")
    decided = main.locator("tbody tr", has_text="待审核 →").first
    decided.locator('a[href*="/history/challenge/"]').click()
    auditor.page.wait_for_url("**/workbench/history/challenge/**")
    assert main.locator("tbody tr", has_text="→ 待审核").count() >= 1
    assert main.locator("table tbody tr").count() >= 3
    assert auditor.complaints == []
