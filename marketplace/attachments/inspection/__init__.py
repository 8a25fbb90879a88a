"""Whether a file is what its name says, and harmless enough to be handed on. Plain Python.

A file is only ever stored and handed out again, never opened by us; what is refused here is what would hurt
whoever opens it, or the machine that looks at it. Every look is bounded in memory and time. Not here: names,
sizes and numbers (`rules`), and where files lie (`store`).
"""

import io
from collections.abc import Callable
from typing import BinaryIO

import puremagic

from marketplace.attachments.inspection.images import inspect_jpeg, inspect_png
from marketplace.attachments.inspection.office import inspect_docx, inspect_xlsx
from marketplace.attachments.inspection.packages import inspect_zip
from marketplace.attachments.inspection.pdf import inspect_pdf
from marketplace.attachments.inspection.unfit import Unfit
from marketplace.attachments.kinds import FileKind
from marketplace.kernel.texts import N_

SIGNATURES = {
    FileKind.PDF: b"%PDF-",
    FileKind.DOCX: b"PK\x03\x04",
    FileKind.XLSX: b"PK\x03\x04",
    FileKind.PNG: b"\x89PNG\r\n\x1a\n",
    FileKind.JPG: b"\xff\xd8\xff",
    FileKind.ZIP: b"PK\x03\x04",
}
INSPECTORS: dict[FileKind, Callable[[BinaryIO], None]] = {
    FileKind.PDF: inspect_pdf,
    FileKind.DOCX: inspect_docx,
    FileKind.XLSX: inspect_xlsx,
    FileKind.PNG: inspect_png,
    FileKind.JPG: inspect_jpeg,
    FileKind.ZIP: inspect_zip,
}
EMPTY_ZIP = b"PK\x05\x06"


def inspect(stream: BinaryIO, kind: FileKind) -> None:
    """Raises Unfit unless the stream holds a sound file of this kind. The stream is left at its beginning."""
    stream.seek(0)
    head = stream.read(4096)
    if not head.startswith(SIGNATURES[kind]):
        if head.startswith(EMPTY_ZIP):
            raise Unfit(N_("“%(file)s”：压缩包里没有文件"))
        found = _looks_like(head)
        if found:
            raise Unfit(
                N_("“%(file)s”：扩展名是 %(extension)s，内容却是 %(found)s；请用原来的软件另存为允许的格式"),
                {"extension": kind.value, "found": found},
                status=415,
            )
        raise Unfit(
            N_("“%(file)s”：扩展名是 %(extension)s，内容却不是；请用原来的软件另存为允许的格式"),
            {"extension": kind.value},
            status=415,
        )
    stream.seek(0)
    try:
        INSPECTORS[kind](stream)
    finally:
        stream.seek(0)


def _looks_like(head: bytes) -> str:
    """What the first bytes say the content is, for the message alone."""
    try:
        found = puremagic.from_stream(io.BytesIO(head))
    except (puremagic.PureError, ValueError):
        return ""
    return str(found).lstrip(".")


__all__ = ["SIGNATURES", "Unfit", "inspect"]
