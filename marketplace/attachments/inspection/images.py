"""PNG and JPEG: the size is read before a single pixel is made, and nothing may follow the image."""

import io
import struct
import zlib
from typing import BinaryIO

from PIL import Image

from marketplace.attachments.inspection.unfit import Unfit
from marketplace.kernel.texts import N_

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000
# A progressive image takes about ten passes over all its pixels; each further one costs a few bytes.
MOST_SCANS = 100
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# What a browser would obey if it took the image for a page; too long to come about in compressed data.
_MARKUP = (b"<script", b"<!doctype", b"<iframe", b"<?php ", b"javascript:")
_ARCHIVE_END = b"PK\x05\x06"
_SCAN = b"\xff\xda"
CHUNK = 64 * 1024
# Opening reads the header alone, and `_check_size` judges it in words that name the limit.
Image.MAX_IMAGE_PIXELS = None


def _damaged() -> Unfit:
    return Unfit(N_("“%(file)s”：图片已损坏或不完整，请重新导出"))


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise _damaged()
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise Unfit(
            N_("“%(file)s”：图片为 %(width)s×%(height)s 像素，最多 %(limit)s 万像素、单边 %(side)s"),
            {"width": width, "height": height, "limit": MOST_PIXELS // 10_000, "side": LONGEST_SIDE},
            status=413,
        )


def _check_scans(content: bytes) -> None:
    """Within compressed pixels the mark of a scan cannot stand; what else has it, has it a few times."""
    if (scans := content.count(_SCAN)) > MOST_SCANS:
        raise Unfit(
            N_("“%(file)s”：图片要解码 %(scans)s 遍，最多 %(limit)s 遍，请用看图软件重新导出"),
            {"scans": scans, "limit": MOST_SCANS},
        )


def _check_strangers(content: bytes) -> None:
    """Nothing in the image that makes it something else for another program."""
    small = content.lower()
    if any(mark in small for mark in _MARKUP) or _ARCHIVE_END in content[-65_557:]:
        raise Unfit(N_("“%(file)s”：图片里夹带了网页脚本或压缩包，请用看图软件重新导出"))


def inspect_png(stream: BinaryIO) -> None:
    """Walks the chunks with their checksums and inflates the pixels without keeping them."""
    content = stream.read()
    pixels = zlib.decompressobj()
    at, expected, inflated, first = 8, 0, 0, True
    while True:
        if at + 12 > len(content):
            raise _damaged()
        (length,) = struct.unpack_from(">L", content, at)
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(
            content[end - 4 : end]
        ):
            raise _damaged()
        body = content[at + 8 : end - 4]
        if first:
            if kind != b"IHDR" or length != 13:
                raise _damaged()
            expected, first = _png_bytes(body), False
        elif kind == b"IDAT":
            # Filter bytes and interlacing add a little; what holds far more is no image but a trap.
            inflated += _inflate(pixels, body, 2 * expected + CHUNK - inflated)
            if inflated > 2 * expected + CHUNK:
                raise _damaged()
        elif kind == b"IEND":
            break
        at = end
    if inflated < expected or end != len(content):
        raise _damaged()
    _check_strangers(content)


def _png_bytes(header: bytes) -> int:
    """How many bytes the pixels must at least take (an interlaced image takes a little more)."""
    width, height, depth, colour, _compression, _filter, _interlace = struct.unpack(">LLBBBBB", header)
    _check_size(width, height)
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise _damaged()
    return int(height * ((width * depth * _CHANNELS[colour] + 7) // 8))


def _inflate(pixels: "zlib._Decompress", body: bytes, most: int) -> int:
    """How many bytes came out, counted until they are more than `most`."""
    made = 0
    try:
        # In pieces: what is left over of one is copied each time.
        for at in range(0, len(body), CHUNK):
            piece = body[at : at + CHUNK]
            while piece and made <= most:
                out = pixels.decompress(piece, CHUNK)
                piece = pixels.unconsumed_tail
                if not out and not piece:
                    break
                made += len(out)
            if made > most:
                break
    except zlib.error as error:
        raise _damaged() from error
    return made


def inspect_jpeg(stream: BinaryIO) -> None:
    """Decoded at an eighth of its size, which finds what is cut off and takes little memory."""
    content = stream.read()
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            width, height = image.size
            _check_size(width, height)
            _check_scans(content)
            image.draft("RGB", (max(1, width // 8), max(1, height // 8)))
            image.load()
    except Unfit:
        raise
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise _damaged() from error
    _check_strangers(content)
