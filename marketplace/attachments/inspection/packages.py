"""A zip as a package of documents: one layer, nothing that runs.

It may hold office documents, which are zips themselves and are looked into once; any other archive inside is
refused, so that no chain of archives has to be followed.
"""

import io
from functools import partial
from typing import BinaryIO
from zipfile import ZipInfo

from marketplace.attachments.inspection.archives import (
    MOST_UNPACKED,
    Measured,
    open_archive,
    printable,
    read_entries,
)
from marketplace.attachments.inspection.office import inspect_docx, inspect_xlsx
from marketplace.attachments.inspection.unfit import Unfit
from marketplace.kernel.texts import N_

MOST_ENTRIES = 100
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
)
_ARCHIVE_NAMES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".jar", ".cab", ".iso", ".zst")
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
_ACTIVE_NAMES = (
    ".exe", ".dll", ".com", ".scr", ".msi", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".wsf",
    ".hta", ".lnk", ".reg", ".sh", ".apk", ".html", ".htm", ".xhtml", ".mht", ".mhtml", ".svg", ".docm",
    ".dotm", ".xlsm", ".xltm", ".pptm",
)  # fmt: skip
_OFFICES = {".docx": inspect_docx, ".xlsx": inspect_xlsx}


def inspect_zip(stream: BinaryIO) -> None:
    size = stream.seek(0, io.SEEK_END)
    # What all the documents in it unpack to together: each of them alone may be as large as any other.
    within = [MOST_UNPACKED]
    read_entries(
        open_archive(stream, most_entries=MOST_ENTRIES), packed=size, visit=partial(_visit, within=within)
    )


def _visit(info: ZipInfo, entry: Measured, *, within: list[int]) -> None:
    # Windows leaves out a trailing dot or blank: x.exe. is x.exe there.
    name = info.filename.lower().rstrip(". ")
    head = entry.read(8)
    if name.endswith(_ACTIVE_NAMES) or head.startswith(_PROGRAMS):
        raise Unfit(
            N_("“%(file)s”：压缩包内有可执行或网页文件“%(entry)s”"),
            {"entry": printable(info.filename)},
        )
    if name.endswith(tuple(_OFFICES)) and head.startswith(b"PK\x03\x04"):
        _OFFICES[name[-5:]](io.BytesIO(head + entry.read()), within)
    elif name.endswith(_ARCHIVE_NAMES) or head.startswith(_ARCHIVES):
        raise Unfit(
            N_("“%(file)s”：压缩包内还有压缩包“%(entry)s”，请只压缩一层"),
            {"entry": printable(info.filename)},
        )
