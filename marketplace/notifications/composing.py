"""A letter, or several, as a mail: plain text and the same as simple HTML, in the reader's language.

Nothing in a mail is fetched from anywhere. The same letter always carries the same Message-ID.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale, gettext

from marketplace.kernel.filters import show_date
from marketplace.notifications import kinds, unsubscribing, words
from marketplace.notifications.kinds import GROUPS
from marketplace.notifications.models import Letter, LetterDigest, Mailing

# Letters that a digest spells out; the others are counted, and lie in the site.
SPELLED_OUT = 40
_HEAD = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"></head>'
    '<body style="font-family:sans-serif;line-height:1.6;color:#1c2733">'
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A letter in somebody's language."""

    subject: str
    body: str


def spoken(letter: Letter) -> Spoken:
    """In the language that is current."""
    kept = letter.words or {}
    return Spoken(words.said(letter.subject, kept.get("subject")), words.said(letter.body, kept.get("body")))


def compose(letter: Letter, address: str, *, language: str) -> EmailMessage:
    """One letter as a mail."""
    with force_locale(language):
        said = spoken(letter)
        message = _open(address, said.subject, letter.created_at, f"letter-{letter.id}")
        address_of_link = f"{_site()}{letter.link}" if letter.link else ""
        text = f"{said.body}\n\n{address_of_link}" if address_of_link else said.body
        markup = _paragraphs(said.body) + (_link(address_of_link, address_of_link) if address_of_link else "")
        group = kinds.group_of(letter.kind)
        scope = group.value if letter.user_id and not GROUPS[group].binding else ""
        _close(message, text, markup, user_id=letter.user_id, scope=scope, language=language)
    return message


def compose_digest(
    digest: LetterDigest, letters: Sequence[Letter], address: str, *, language: str
) -> EmailMessage:
    """Several letters as one mail, in their order, with a link for each."""
    with force_locale(language):
        day = show_date(digest.due_on)
        if digest.period is Mailing.DAILY:
            subject = gettext("%(day)s 的通知，共 %(count)s 封", day=day, count=len(letters))
        else:
            subject = gettext("截至 %(day)s 一周的通知，共 %(count)s 封", day=day, count=len(letters))
        message = _open(address, subject, digest.created_at, f"digest-{digest.id}")
        texts, parts = [], []
        for letter in letters[:SPELLED_OUT]:
            said = spoken(letter)
            url = f"{_site()}{letter.link}" if letter.link else ""
            texts.append("\n".join(part for part in (f"■ {said.subject}", said.body, url) if part))
            parts.append(
                f"<h3>{escape(said.subject)}</h3>{_paragraphs(said.body)}{_link(url, url) if url else ''}"
            )
        if len(letters) > SPELLED_OUT:
            rest = gettext("另有 %(count)s 封，请登录后查看。", count=len(letters) - SPELLED_OUT)
            texts.append(rest)
            parts.append(f"<p>{escape(rest)}</p>")
        inbox = f"{_site()}/workbench/letters"
        texts.append(f"{gettext('全部通知')} {inbox}")
        parts.append(f"<p>{_link(inbox, gettext('全部通知'))}</p>")
        _close(
            message,
            "\n\n".join(texts),
            "<hr>".join(parts),
            user_id=digest.user_id,
            scope=unsubscribing.DIGEST,
            language=language,
        )
    return message


def compose_test(address: str, *, at: datetime) -> EmailMessage:
    """What the maintainer sends to see whether mail arrives."""
    message = _open(address, "测试邮件 / test", at, f"test-{int(at.timestamp() * 1000)}")
    text = f"收到这封邮件，说明平台可以发信。\n\n{_site()}"
    _close(message, text, _paragraphs(text), user_id=None, scope="", language="zh_Hans")
    return message


def _site() -> str:
    return str(current_app.config["PUBLIC_URL"] or "http://127.0.0.1:8000").rstrip("/")


def _site_name() -> str:
    name = current_app.config["SITE_NAME"]
    return str(gettext(name))


def _open(address: str, subject: str, at: datetime, name: str) -> EmailMessage:
    config = current_app.config
    domain = urlsplit(_site()).hostname or "localhost"
    message = EmailMessage()
    message["From"] = Address(str(config["MAIL_NAME"]), addr_spec=parseaddr(config["MAIL_FROM"])[1])
    message["To"] = address
    # A subject is one line, whatever a title held.
    message["Subject"] = f"[{_site_name()}] {' '.join(subject.split())}"
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{name}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _close(
    message: EmailMessage, text: str, markup: str, *, user_id: int | None, scope: str, language: str
) -> None:
    foot, foot_markup = [_site_name()], [escape(_site_name())]
    if user_id and scope:
        url = f"{_site()}/letters/unsubscribe/{unsubscribing.token_for(user_id, scope)}"
        message["List-Unsubscribe"] = f"<{url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        foot.append(f"{gettext('不再接收这类邮件')} {url}")
        foot_markup.append(_link(url, gettext("不再接收这类邮件")))
    if user_id:
        settings = f"{_site()}/workbench/letters/settings"
        foot.append(f"{gettext('通知设置')} {settings}")
        foot_markup.append(_link(settings, gettext("通知设置")))
    message.set_content(f"{text}\n\n-- \n" + "\n".join(foot) + "\n")
    head = _HEAD.format(language="en" if language == "en" else "zh-CN")
    message.add_alternative(
        f'{head}{markup}<hr><p style="font-size:small">{"<br>".join(foot_markup)}</p></body></html>',
        subtype="html",
    )


def _paragraphs(text: str) -> str:
    blocks = (escape(block).replace("\n", "<br>") for block in text.split("\n\n") if block.strip())
    return "".join(f"<p>{block}</p>" for block in blocks)


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'
