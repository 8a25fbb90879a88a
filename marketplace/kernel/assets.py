"""Addresses of static files that change with their content, and how long browsers may keep them.

Here: `asset()` for templates and the caching headers of `/static`. Not here: what is vendored and how it
is built (`tools/vendor.sh`), nor any other response header.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, url_for

A_YEAR = 365 * 24 * 3600


class Assets:
    """Knows the fingerprint of every file below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def fingerprint(self, path: str) -> str:
        """Eight hex digits of the file's SHA-256; a file that is not there is the template's mistake."""
        file = _within(self.folder, path)
        return _sha8(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _within(folder: Path, path: str) -> Path:
    file = (folder / path).resolve()
    if not file.is_relative_to(folder):
        raise FileNotFoundError(path)
    return file


@lru_cache(maxsize=512)
def _sha8(file: Path, _modified_ns: int) -> str:
    """Read again only when the file has changed: the time of change is part of the key."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def init_app(app: Flask) -> None:
    """Give templates `asset(path)` and let browsers keep what carries the right fingerprint."""
    assets = Assets(Path(app.static_folder or "static"))

    def asset(path: str) -> str:
        return url_for("static", filename=path, v=assets.fingerprint(path))

    app.jinja_env.globals["asset"] = asset

    @app.after_request
    def let_browsers_keep_what_cannot_change(response: Response) -> Response:
        if request.endpoint != "static" or response.status_code not in (200, 304):
            return response
        # During a rollout an old page may ask the new server for the old file: what is answered then
        # must not be kept under the old fingerprint.
        filename = (request.view_args or {}).get("filename", "")
        if request.args.get("v") == assets.fingerprint(filename):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response
