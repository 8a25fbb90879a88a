"""What the browser gets is the project's own: checked-in, hashed, licensed, and nothing inline."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "marketplace" / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OWN_STYLES = sorted(STATIC.glob("*.css"))
OWN_SCRIPTS = sorted(STATIC.glob("*.js"))

# gettext texts are filled with %: a lone percent sign would fail when the page is shown.
LONE_PERCENT = re.compile(r"""_\(\s*(?:'[^']*?(?<!%)%(?![%(])[^']*'|"[^"]*?(?<!%)%(?![%(])[^"]*")""")
# Where the filings of a site are looked up; its foot must lead there.
FILINGS = r"(?!https://beian\.(?:miit|mps)\.gov\.cn/)"
INLINE = {
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "a style element": re.compile(r"<style\b", re.I),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*application/ld\+json)", re.I),
    "an event attribute": re.compile(r"<[^>{%]*\son[a-z]+\s*=", re.I),
    "a javascript link": re.compile(r"javascript:", re.I),
    "a link to nowhere": re.compile(r"href=[\"']#?[\"']"),
    "a lone percent sign in a text": LONE_PERCENT,
    "an asset of another site": re.compile(rf"(?:src|href|action|poster)=[\"']{FILINGS}(?:https?:)?//", re.I),
}
TOO_MODERN = re.compile(r"oklch|@layer|:has\(|color-mix|@container|@property|@import|light-dark\(")
LEAVES_THE_SITE = re.compile(r"url\(\s*[\"']?(?:https?:)?//|@import|sourceMappingURL", re.I)


def without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}", "", text, flags=re.S)


def findings_in(text: str) -> list[str]:
    return [name for name, pattern in INLINE.items() if pattern.search(without_comments(text))]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_template_carries_nothing_inline_and_links_nowhere_else(template: Path) -> None:
    assert findings_in(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('<p style="color:red">', "a style attribute"),
        ("<style>p{}</style>", "a style element"),
        ("<script>go()</script>", "an inline script"),
        ('<a href="/" onclick="go()">', "an event attribute"),
        ('<a href="javascript:go()">', "a javascript link"),
        ('<a href="#">', "a link to nowhere"),
        ("{{ _('放大 25%，一年') }}", "a lone percent sign in a text"),
        ('<script src="//cdn.example/x.js"></script>', "an asset of another site"),
    ],
)
def test_the_template_rules_catch_what_they_name(text: str, finding: str) -> None:
    assert finding in findings_in(text)


@pytest.mark.parametrize("file", OWN_STYLES, ids=lambda p: p.name)
def test_own_styles_need_no_recent_browser_and_no_other_site(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert TOO_MODERN.findall(text) == []
    assert LEAVES_THE_SITE.findall(text) == []


@pytest.mark.parametrize("file", OWN_SCRIPTS, ids=lambda p: p.name)
def test_own_scripts_name_no_other_site_and_evaluate_no_text(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"https?://|\beval\(|new Function", text) == []


def vendored_files() -> Iterator[tuple[str, str]]:
    """Path below the vendor folder and the hash that the manifest promises."""
    for package in json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8")).values():
        for name, digest in package["files"].items():
            yield f"{package['folder']}/{name}", digest


def test_vendored_files_are_the_ones_that_the_manifest_names() -> None:
    promised = dict(vendored_files())
    present = {
        str(file.relative_to(VENDOR)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.rglob("*")
        if file.is_file() and file.name != "vendor.json"
    }
    assert present == promised


def test_every_vendored_package_says_its_version_and_brings_its_licence() -> None:
    for name, package in json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8")).items():
        assert package["folder"] == f"{name}-{package['version']}"
        assert package["licence"] in {"MIT", "0BSD", "Apache-2.0"}
        assert "LICENSE" in package["files"]


@pytest.mark.parametrize("file", sorted(VENDOR.rglob("*.css")), ids=lambda p: p.name)
def test_vendored_styles_need_no_recent_browser_and_no_other_site(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert TOO_MODERN.findall(text) == []
    assert LEAVES_THE_SITE.findall(text) == []


@pytest.mark.parametrize("file", sorted(VENDOR.rglob("*.js")), ids=lambda p: p.name)
def test_vendored_scripts_ask_for_no_source_map(file: Path) -> None:
    assert "sourceMappingURL" not in file.read_text(encoding="utf-8")
