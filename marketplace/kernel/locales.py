"""In which language a page is said: what the browser was told by its reader, else simplified Chinese.

The choice is a cookie. It is not guessed from `Accept-Language`: the site speaks Chinese, and many a browser
in Chongqing was installed in English. Whoever chose a language for mails and signs in with a browser that
knows no choice finds pages in that language too. Not here: the languages of mails, which are settings of a
person (marketplace/notifications).
"""

from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations, refresh
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import escape

DEFAULT = "zh_Hans"
#: Each language by its own name.
LANGUAGES = {DEFAULT: "简体中文", "en": "English"}
SHORT = {DEFAULT: "中文", "en": "English"}
_CODES = {(one.language, one.script): code for code in LANGUAGES for one in [Locale.parse(code)]}
#: As HTML names them.
TAGS = {DEFAULT: "zh-CN", "en": "en"}
COOKIE = "language"
A_YEAR = 365 * 24 * 3600


def chosen() -> str | None:
    """What this browser was told, if it was told anything that there is."""
    found = request.cookies.get(COOKIE, "") if has_request_context() else ""
    return found if found in LANGUAGES else None


def current() -> str:
    """The language of what is being said now."""
    locale = get_locale()
    return _CODES.get((locale.language, locale.script), DEFAULT) if locale else DEFAULT


def choose(language: str) -> None:
    """The answer to this request tells the browser; an unknown language is no choice."""
    if language in LANGUAGES:
        g.chosen_language = language
        refresh()


def _others() -> list[tuple[str, str, str]]:
    """What the page can be switched to: code, tag and short name of each."""
    return [(code, TAGS[code], SHORT[code]) for code in LANGUAGES if code != current()]


def _select() -> str:
    return str(g.get("chosen_language", "")) or chosen() or DEFAULT


def _tell_browser(response: Response) -> Response:
    if "chosen_language" in g:
        response.set_cookie(
            COOKIE,
            g.chosen_language,
            max_age=A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        )
    return response


@lru_cache(maxsize=10_000)
def _fixed(_language: str, source: str, autoescape: bool) -> str:
    text: str = get_translations().ugettext(source).replace("%%", "%")
    return escape(text) if autoescape else text


@pass_eval_context
def _gettext(context: EvalContext, source: str, /, **variables: Any) -> str:
    """`_` of templates: as the newstyle gettext of Jinja, with two differences.

    The text itself is escaped too, for labels that are said so may come from people: the name of a chain,
    of a region. And the lookup of a text without variables is kept: a list page says some 250 of them.
    """
    if not variables:
        return _fixed(current(), source, context.autoescape)
    text = get_translations().ugettext(source)
    return (escape(text) if context.autoescape else text) % variables


def init_app(app: Flask) -> None:
    Babel(app, locale_selector=_select)
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"] = _gettext
    app.after_request(_tell_browser)
    app.jinja_env.globals.update(language_tag=lambda: TAGS[current()], other_languages=_others)
