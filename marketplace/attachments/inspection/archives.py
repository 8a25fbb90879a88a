"""Zip archives: how many entries, how much they unpack to, and that none of them leads astray.

Counted before anything is unpacked, and again while unpacking, because a directory may lie. Not here: what an
archive is to hold (`office`, `packages`).
"""

import io
import stat
import struct
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from marketplace.attachments.inspection.unfit import Unfit
from marketplace.kernel.texts import N_

MOST_UNPACKED = 50 * 1024 * 1024
MOST_RATIO = 100
# What unpacks to less than this harms nobody, however well it was packed.
HARMLESS = 1024 * 1024
LARGEST_DIRECTORY = 512 * 1024
LONGEST_ENTRY_NAME = 260
CHUNK = 64 * 1024

# All that zipfile and zlib raise over what they cannot read.
_UNREADABLE = (
    BadZipFile,
    EOFError,
    zlib.error,
    struct.error,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"


def damaged() -> Unfit:
    return Unfit(N_("“%(file)s”：压缩包已损坏或不完整，请重新压缩"))


def open_archive(stream: BinaryIO, *, most_entries: int) -> ZipFile:
    """The archive with its directory read, which is only done once it is known to be small."""
    entries, directory, size = _end_record(stream)
    if entries > most_entries or directory > LARGEST_DIRECTORY:
        raise Unfit(
            N_("“%(file)s”：压缩包内有 %(count)s 个文件，最多 %(limit)s 个"),
            {"count": entries, "limit": most_entries},
        )
    try:
        archive = ZipFile(stream)
    except _UNREADABLE as error:
        raise damaged() from error
    found = archive.infolist()
    if not found:
        raise Unfit(N_("“%(file)s”：压缩包里没有文件"))
    if len(found) > most_entries:
        raise Unfit(
            N_("“%(file)s”：压缩包内有 %(count)s 个文件，最多 %(limit)s 个"),
            {"count": len(found), "limit": most_entries},
        )
    _check_entries(found)
    _check_places(found, size)
    _check_sizes(sum(info.file_size for info in found), size)
    return archive


def _end_record(stream: BinaryIO) -> tuple[int, int, int]:
    """(entries, bytes of the directory, bytes of the file), from a record that ends the file."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 65_557))
    tail = stream.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise damaged()
    _mark, disk, first_disk, here, entries, directory, _offset, comment = _END.unpack_from(tail, at)
    if disk or first_disk or here != entries:
        raise Unfit(N_("“%(file)s”：不支持分卷压缩包"))
    if at + _END.size + comment != len(tail):
        raise damaged()
    stream.seek(0)
    return entries, directory, size


def _check_entries(found: list[ZipInfo]) -> None:
    seen: set[str] = set()
    for info in found:
        name = info.orig_filename
        if info.flag_bits & 0x1:
            raise Unfit(N_("“%(file)s”：压缩包已加密，无法检查；请去掉密码后上传"))
        if (
            name.startswith(("/", "\\"))
            or name[1:2] == ":"
            or ".." in name.replace("\\", "/").split("/")
            or any(ord(c) < 0x20 for c in name)
            or len(name) > LONGEST_ENTRY_NAME
        ):
            raise Unfit(N_("“%(file)s”：压缩包内有不安全的路径“%(entry)s”"), {"entry": printable(name)})
        mode = stat.S_IFMT(info.external_attr >> 16)
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Unfit(N_("“%(file)s”：压缩包内有链接或特殊文件“%(entry)s”"), {"entry": printable(name)})
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unfit(N_("“%(file)s”：压缩包用了不支持的压缩方法，请用普通 zip 格式重新压缩"))
        if name.lower() in seen:
            raise Unfit(N_("“%(file)s”：压缩包内有重名文件“%(entry)s”"), {"entry": printable(name)})
        seen.add(name.lower())


def _check_places(found: list[ZipInfo], size: int) -> None:
    """No entry shares its bytes with another one: that is how small archives unpack to very much."""
    places = sorted((info.header_offset, info.header_offset + 30 + info.compress_size) for info in found)
    if places[0][0] != 0 or any(
        end > start for (_, end), (start, _) in zip(places, [*places[1:], (size, size)], strict=True)
    ):
        raise damaged()


def too_large() -> Unfit:
    return Unfit(
        N_("“%(file)s”：压缩包解开后超过 %(limit)s MB"),
        {"limit": MOST_UNPACKED // (1024 * 1024)},
        status=413,
    )


def _check_sizes(unpacked: int, packed: int) -> None:
    if unpacked > MOST_UNPACKED:
        raise too_large()
    if unpacked > HARMLESS and unpacked > MOST_RATIO * packed:
        raise Unfit(N_("“%(file)s”：压缩包的压缩比超过 %(limit)s 倍"), {"limit": MOST_RATIO})


class Measured:
    """A stream that counts what is read of it, whatever the directory had promised."""

    def __init__(self, inner: IO[bytes], budget: list[int]) -> None:
        self._inner, self._budget = inner, budget

    def read(self, size: int = -1) -> bytes:
        found = self._inner.read(size)
        self._budget[0] -= len(found)
        if self._budget[0] < 0:
            raise too_large()
        return found


def read_entries(
    archive: ZipFile,
    *,
    packed: int,
    visit: Callable[[ZipInfo, Measured], None],
    budget: list[int] | None = None,
) -> None:
    """Hand each file to `visit`, and read what it leaves unread, so that every checksum is compared.

    Archives that lie in one and the same share one `budget` of bytes.
    """
    budget = [MOST_UNPACKED] if budget is None else budget
    before = budget[0]
    for info in archive.infolist():
        if info.is_dir():
            if info.file_size:
                raise damaged()
            continue
        try:
            with archive.open(info) as inner:
                entry = Measured(inner, budget)
                visit(info, entry)
                while entry.read(CHUNK):
                    pass
        except Unfit:
            raise
        except (
            BadZipFile,
            EOFError,
            zlib.error,
            OSError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise damaged() from error
    _check_sizes(before - budget[0], packed)


def printable(name: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in name)[:80]
