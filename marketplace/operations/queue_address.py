"""Where the queue server is. Plain text only: the queue's client stays out of the web process."""

import json

from marketplace.config import Settings


def redis_url(settings: Settings) -> str:
    """REDIS_URL, else the embedded server of a running `make run` on the same instance folder, else ""."""
    if settings.redis_url:
        return settings.redis_url
    try:
        record = json.loads((settings.instance_dir / "run.json").read_text())
    except (OSError, ValueError):
        return ""
    return str(record.get("redis_url") or "")
