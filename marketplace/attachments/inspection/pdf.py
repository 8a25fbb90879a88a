"""PDF: whole, not encrypted, and without anything that acts by itself when it is opened."""

import re
import zlib
from typing import BinaryIO

from marketplace.attachments.inspection.unfit import Unfit
from marketplace.kernel.texts import N_

MOST_OBJECT_STREAMS = 5000
MOST_INFLATED = 50 * 1024 * 1024
CHUNK = 64 * 1024
_TAIL = 2048
_START = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_AT_XREF = re.compile(rb"\s*(?:xref|\d{1,10}\s+\d{1,5}\s+obj)")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,400}?>>\s*stream\r?\n", re.DOTALL)
_MARKUP = re.compile(rb"<script|<html|<!doctype", re.IGNORECASE)


def _name(text: str) -> bytes:
    """A name as a PDF may spell it: each character plain or as #xx."""
    return b"/" + b"".join(f"(?:{c}|#{ord(c):02x}|#{ord(c):02X})".encode() for c in text)


# Long enough not to come about by chance in compressed data, so that the whole file can be searched.
_ACTIVE = re.compile(
    b"|".join(_name(n) for n in ("JavaScript", "Launch", "RichMedia", "EmbeddedFile", "SubmitForm"))
)
_ENCRYPTED = re.compile(_name("Encrypt") + rb"\s*(?:\d+\s+\d+\s+R|<<)")


def inspect_pdf(stream: BinaryIO) -> None:
    content = stream.read()
    starts = list(_START.finditer(content[-_TAIL:]))
    if not starts or not _AT_XREF.match(content, int(starts[-1][1])):
        raise Unfit(N_("“%(file)s”：PDF 的结构已损坏或不完整，请重新导出"))
    if _MARKUP.search(content[:1024]) or b"PK\x05\x06" in content[-65_557:]:
        raise Unfit(N_("“%(file)s”：PDF 里夹带了网页或压缩包，请重新导出"))
    if _ENCRYPTED.search(content):
        raise Unfit(N_("“%(file)s”：PDF 已加密，无法检查；请去掉密码和权限限制后上传"))
    _refuse_active(content)
    # Streams that lie beside each other take the file's own bytes; more is read only where they overlap.
    left, unread = MOST_INFLATED, 2 * len(content)
    if content.count(b"/ObjStm") > MOST_OBJECT_STREAMS:
        raise _too_much()
    for found in _OBJECT_STREAM.finditer(content):
        inflated, taken = _inflate(memoryview(content)[found.end() : found.end() + unread], left)
        left, unread = left - len(inflated), unread - taken
        if left <= 0 or unread <= 0:
            raise _too_much()
        _refuse_active(inflated)


def _too_much() -> Unfit:
    return Unfit(
        N_("“%(file)s”：PDF 展开后超过 %(limit)s MB"),
        {"limit": MOST_INFLATED // (1024 * 1024)},
        status=413,
    )


def _refuse_active(content: bytes) -> None:
    if _ACTIVE.search(content):
        raise Unfit(N_("“%(file)s”：PDF 含有脚本、嵌入文件或自动动作，请打印成新的 PDF 后上传"))


def _inflate(content: memoryview, most: int) -> tuple[bytes, int]:
    """What a stream holds, up to `most`, and how many bytes it takes; it ends by itself.

    In pieces, so that of what follows the stream nothing is read. What is not deflated, or not sound, is as
    much as it gave up to there: a reader finds no more in it either.
    """
    stream, made, taken = zlib.decompressobj(), bytearray(), 0
    try:
        while not stream.eof and taken < len(content) and len(made) < most:
            piece: bytes | memoryview = content[taken : taken + CHUNK]
            taken += len(piece)
            while piece and not stream.eof and len(made) < most:
                made += stream.decompress(piece, most - len(made))
                piece = stream.unconsumed_tail
    except zlib.error:
        # Of what is no deflated stream the first piece was looked at, and not read.
        return bytes(made), max(0, taken - CHUNK)
    return bytes(made), taken - len(stream.unused_data)
