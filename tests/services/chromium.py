"""Debian's Chromium, driven by Playwright, which downloads no browser of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.services import Missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextmanager
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise Missing("Chromium: install Debian's chromium and fonts-noto-cjk, or name one with CHROMIUM")
    # Its sandbox needs rights that root in a container does not have; only our own pages are opened.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=[*arguments, "--disable-dev-shm-usage", "--lang=zh-CN"]
        )
        try:
            yield chromium
        finally:
            chromium.close()
