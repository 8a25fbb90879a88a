"""Handing mail over: to the mail server that is set, else as files into the instance folder.

Without a server the mail of an installation is written to `mail/*.eml` (0600), so that a trial or a test
can read what would have been sent. Knows messages, not letters.
"""

import copy
import os
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

SECONDS_TO_ANSWER = 10
PERMANENT = 500


class Refused(RuntimeError):
    """The server will never take this message; trying again is of no use."""


class Post(Protocol):
    def hand_over(self, message: EmailMessage) -> None:
        """Raises Refused for good, anything else for now."""


class FilePost:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hand_over(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = message["Message-ID"].strip("<>").partition("@")[0]
        path = self.folder / f"{name}.eml"
        part = self.folder / f".{name}.part"
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_readable(message))
        part.replace(path)


def _readable(message: EmailMessage) -> bytes:
    """Text as text instead of base64, because a file is read by people."""
    plain = copy.deepcopy(message)
    for part in plain.walk():
        if not part.is_multipart():
            part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="8bit")
    return plain.as_bytes(policy=policy.default.clone(utf8=True))


class ServerPost:
    def __init__(self, server: smtplib.SMTP) -> None:
        self.server = server

    def hand_over(self, message: EmailMessage) -> None:
        try:
            self.server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = min(code for code, _reason in error.recipients.values())
            if code >= PERMANENT:
                raise Refused(f"recipient refused: {code}") from error
            raise
        except smtplib.SMTPDataError as error:
            if error.smtp_code >= PERMANENT:
                raise Refused(f"message refused: {error.smtp_code}") from error
            raise


@contextmanager
def open_post(smtp_url: str, *, instance_dir: str) -> Iterator[Post]:
    """`smtp://user:password@host:587` (STARTTLS wherever it is offered) or `smtps://…:465`."""
    if not smtp_url:
        yield FilePost(Path(instance_dir) / "mail")
        return
    parts = urlsplit(smtp_url)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=SECONDS_TO_ANSWER, context=context
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=SECONDS_TO_ANSWER)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield ServerPost(server)
