"""The generated page of lifecycles agrees with the tables."""

from marketplace import lifecycles
from marketplace.config import ROOT


def test_the_page_of_lifecycles_is_fresh() -> None:
    written = (ROOT / lifecycles.PAGE).read_text(encoding="utf-8")
    assert written == lifecycles.page(), "run `flask docs lifecycles`"


def test_every_lifecycle_is_drawn() -> None:
    page = lifecycles.page()
    for lifecycle in lifecycles.all_lifecycles():
        assert f"## {lifecycle.thing}\n" in page
        for status in lifecycle.statuses:
            assert f"| `{status.value}` |" in page
