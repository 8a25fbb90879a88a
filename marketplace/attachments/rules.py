"""What a file may be called, how large it may be, how many there may be. Plain Python.

Not here: what stands inside a file (`inspection`).
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.attachments.kinds import ALL_KINDS, FileKind
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

MB = 1024 * 1024
LARGEST_BYTES = 20 * MB
LARGEST_IMAGE_BYTES = 10 * MB
# One submission may bring several files; the body of a request is held to this.
LARGEST_UPLOAD_BYTES = 50 * MB
MOST_PER_UPLOAD = 10
LONGEST_NAME = 120

_SEPARATORS = re.compile(r"[/\\]")
# Control, format (bidirectional, zero-width), surrogate, private and unassigned characters, line separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_FORBIDDEN = re.compile(r'[<>:"|?*%;]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What files are for, at one kind of owner.

    Of confidential ones neither names nor hashes stand in the trail, and each download does.
    """

    name: str
    label: str
    hint: str = ""
    kinds: tuple[FileKind, ...] = ALL_KINDS
    most_bytes: int = LARGEST_BYTES
    most_files: int = 10
    confidential: bool = False

    def most_bytes_of(self, kind: FileKind) -> int:
        if kind in (FileKind.PNG, FileKind.JPG):
            return min(self.most_bytes, LARGEST_IMAGE_BYTES)
        return self.most_bytes


def megabytes(size: int) -> str:
    """Rounded up, so that one byte too many is not shown as the limit itself."""
    return f"{math.ceil(size * 100 / MB) / 100:g}"


def clean_name(raw: str) -> str:
    """The name as it is shown and handed out: one line, no path, nothing that misleads the eye.

    An inner extension is kept, so that 报价.exe.pdf shows what it was; "" where nothing of the name is left.
    """
    name = _SEPARATORS.split(unicodedata.normalize("NFC", raw))[-1]
    name = "".join(
        c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
    )
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, extension = name.rpartition(".")
    if dot and len(name) > LONGEST_NAME:
        name = f"{stem[: LONGEST_NAME - len(extension) - 1]}.{extension}"
    return name[:LONGEST_NAME]


def extension_of(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""


def count_obstacles(purpose: Purpose, *, standing: int, coming: int) -> Iterator[Obstacle]:
    """Whether `coming` files find room beside those that stand there."""
    if coming > MOST_PER_UPLOAD:
        yield Obstacle(
            "files",
            N_("一次最多上传 %(limit)s 个文件，现选 %(count)s 个"),
            {"limit": MOST_PER_UPLOAD, "count": coming},
        )
    if standing + coming > purpose.most_files:
        yield Obstacle(
            "files",
            N_("最多保存 %(limit)s 个文件，已有 %(standing)s 个，现选 %(count)s 个"),
            {"limit": purpose.most_files, "standing": standing, "count": coming},
        )


def quota_obstacles(*, used: int, coming: int, quota: int) -> Iterator[Obstacle]:
    """Whether an organisation still has room for so many bytes."""
    if used + coming > quota:
        yield Obstacle(
            "files",
            N_(
                "本单位的文件空间共 %(limit)s MB，已用 %(used)s MB，"
                "放不下这次的 %(coming)s MB；请先删除不再需要的文件"
            ),
            {"limit": megabytes(quota), "used": megabytes(used), "coming": megabytes(coming)},
        )
