"""The scans that the demonstration hands in: plainly no real papers."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw
from werkzeug.datastructures import FileStorage

WIDTH, HEIGHT, EDGE = 840, 594, 24


@lru_cache(maxsize=1)
def _scan() -> bytes:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#fdfaf2")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((EDGE, EDGE, WIDTH - EDGE, HEIGHT - EDGE), outline="#b5872f", width=6)
    pen.ellipse((WIDTH - 240, HEIGHT - 240, WIDTH - 90, HEIGHT - 90), outline="#c4261d", width=5)
    pen.text((WIDTH // 2 - 60, HEIGHT // 2), "SAMPLE - NOT A LICENCE", fill="#8a8a8a")
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def sample_scan(name: str) -> FileStorage:
    """A picture under this name, as a browser would send it."""
    return FileStorage(io.BytesIO(_scan()), name)
