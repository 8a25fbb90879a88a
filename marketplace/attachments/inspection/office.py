"""docx and xlsx: zips with the right parts, without macros, embedded objects or links to elsewhere."""

import io
import re
from collections.abc import Callable
from typing import BinaryIO
from xml.parsers import expat
from zipfile import ZipInfo

from marketplace.attachments.inspection.archives import Measured, open_archive, read_entries
from marketplace.attachments.inspection.unfit import Unfit
from marketplace.kernel.texts import N_

CONTENT_TYPES = "[content_types].xml"
WORD = ("word/document.xml", b"wordprocessingml.document.main+xml")
SHEET = ("xl/workbook.xml", b"spreadsheetml.sheet.main+xml")
_ACTIVE_PARTS = re.compile(r"vbaproject|vbadata|activex|/embeddings/|/ctrlprops/|macrosheets", re.IGNORECASE)
_LINK_PARTS = re.compile(r"/externallinks/|/connections\.xml|/querytables/", re.IGNORECASE)
# Relationships that fetch or run something when the document is opened; a hyperlink waits for a click.
_FETCHED = re.compile(r"/(attachedTemplate|oleObject|frame|subDocument|externalLink\w*|package|control)$")
_DDE = re.compile(rb">\s*DDE(AUTO)?\b", re.IGNORECASE)
_XML_NAMES = (".xml", ".rels", ".vml")
MOST_PARTS = 2000
# Office writes some dozens; a parser remembers every element that is open.
DEEPEST = 500
CHUNK = 64 * 1024


def inspect_docx(stream: BinaryIO, budget: list[int] | None = None) -> None:
    _inspect(stream, *WORD, budget)


def inspect_xlsx(stream: BinaryIO, budget: list[int] | None = None) -> None:
    _inspect(stream, *SHEET, budget)


def _inspect(stream: BinaryIO, main_part: str, main_type: bytes, budget: list[int] | None) -> None:
    size = stream.seek(0, io.SEEK_END)
    archive = open_archive(stream, most_entries=MOST_PARTS)
    names = {info.filename.lower() for info in archive.infolist()}
    if CONTENT_TYPES not in names or main_part not in names:
        raise Unfit(N_("“%(file)s”：不是有效的 Office 文件，请用原来的软件另存后上传"), status=415)
    types: list[bytes] = []

    def visit(info: ZipInfo, entry: Measured) -> None:
        name = info.filename
        if _ACTIVE_PARTS.search(f"/{name}"):
            raise Unfit(
                N_("“%(file)s”：文件含有宏、控件或嵌入对象（%(part)s），请删除后上传"),
                {"part": name[:80]},
            )
        if _LINK_PARTS.search(f"/{name}"):
            raise Unfit(
                N_("“%(file)s”：文件链接到外部数据（%(part)s），请断开链接后上传"),
                {"part": name[:80]},
            )
        if name.lower().endswith(_XML_NAMES):
            types.extend(_read_xml(name.lower(), entry))

    read_entries(archive, packed=size, visit=visit, budget=budget)
    declared = b"".join(types)
    if main_type not in declared:
        raise Unfit(N_("“%(file)s”：不是有效的 Office 文件，请用原来的软件另存后上传"), status=415)
    if b"macroEnabled" in declared:
        raise Unfit(N_("“%(file)s”：文件含有宏，请另存为不含宏的 docx 或 xlsx 后上传"))


def _read_xml(name: str, entry: Measured) -> list[bytes]:
    """Walk one part; returns the content types that it declares, where it is the part that does."""
    parser = expat.ParserCreate()
    declared: list[bytes] = []
    depth = 0

    def no_doctype(*_args: object) -> None:
        raise Unfit(
            N_("“%(file)s”：文件的 XML 里声明了 DTD 或外部实体（%(part)s），不予接收"),
            {"part": name[:80]},
        )

    def relationship(_element: str, attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode") == "External" and _FETCHED.search(attributes.get("Type", "")):
            raise Unfit(
                N_("“%(file)s”：文件链接到外部数据（%(part)s），请断开链接后上传"),
                {"part": name[:80]},
            )

    def content_type(_element: str, attributes: dict[str, str]) -> None:
        declared.append(attributes.get("ContentType", "").encode())

    parser.StartDoctypeDeclHandler = no_doctype
    parser.EntityDeclHandler = no_doctype
    handlers: dict[bool, Callable[[str, dict[str, str]], None]] = {
        name.endswith(".rels"): relationship,
        name == CONTENT_TYPES: content_type,
    }
    look = handlers.get(True)

    def opened(element: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise Unfit(
                N_("“%(file)s”：文件的 XML 嵌套超过 %(limit)s 层（%(part)s），不予接收"),
                {"limit": DEEPEST, "part": name[:80]},
            )
        if look is not None:
            look(element, attributes)

    def closed(_element: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    before = b""
    try:
        while chunk := entry.read(CHUNK):
            if _DDE.search(before + chunk):
                raise Unfit(N_("“%(file)s”：文件含有 DDE 自动执行域，请删除后上传"))
            before = chunk[-64:]
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unfit(
            N_("“%(file)s”：文件的 XML 已损坏（%(part)s），请用原来的软件另存后上传"),
            {"part": name[:80]},
        ) from error
    return declared
