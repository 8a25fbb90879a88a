"""A mail server on a free port of this machine that keeps what it is handed, and refuses what it is told to.

A recipient whose name begins with `refused` is refused for good, `later` for now, `full` after the text;
`with sink() as mails:` gives the server, `mails.url` its address for SMTP_URL.
"""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Sink:
    """Everything that was taken, in order, and how often somebody called."""

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    calls: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class _Conversation(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.server.sink.calls += 1
        self._say("220 sink ready")
        recipients: list[str] = []
        while line := self.rfile.readline():
            word = line.decode().strip()
            verb = word[:4].upper()
            if verb == "EHLO":
                self._say("250-sink\r\n250 8BITMIME")
            elif verb in ("MAIL", "RSET", "NOOP", "HELO"):
                recipients = [] if verb in ("MAIL", "RSET") else recipients
                self._say("250 fine")
            elif verb == "RCPT":
                self._judge(word.partition("<")[2].partition(">")[0], recipients)
            elif verb == "DATA":
                self._take(recipients)
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("502 what?")

    def _judge(self, address: str, recipients: list[str]) -> None:
        if address.startswith("refused"):
            self._say("550 no such mailbox")
        elif address.startswith("later"):
            self._say("451 try again")
        else:
            recipients.append(address)
            self._say("250 fine")

    def _take(self, recipients: list[str]) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        if any(address.startswith("full") for address in recipients):
            self._say("552 mailbox full")
            return
        message: EmailMessage = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.sink.taken += [(address, message) for address in recipients]
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, sink: Sink) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.sink = sink
        sink.port = self.server_address[1]


@contextmanager
def sink() -> Iterator[Sink]:
    found = Sink()
    with _Server(found) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
