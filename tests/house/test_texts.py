"""Every text that people read goes through gettext, with zh_Hans as its source."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from marketplace.config import ROOT

# Chinese words, and the marks between them: a mark that stands alone is glued to texts in every language.
HAN = re.compile(r"[\u4e00-\u9fff，、。：；（）？！]")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def bare_texts(source: str) -> list[tuple[int, str]]:
    """Han text of a template that stands outside every `{{ }}` and `{% %}`, outside trans blocks too."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found, in_trans = [], False
    for line, kind, value in environment.lex(source):
        if kind == "name" and value in ("trans", "endtrans"):
            in_trans = value == "trans"
        if kind == "data" and not in_trans and HAN.search(value):
            found.append((line, value.strip()))
    return found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_no_template_holds_text_outside_gettext(template: Path) -> None:
    assert bare_texts(template.read_text()) == []


def test_a_bare_text_is_caught() -> None:
    assert bare_texts("<p>{{ _('好') }}</p><b>不好</b>") == [(1, "</p><b>不好</b>")]
