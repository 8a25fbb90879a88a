"""Real servers for the tests: PostgreSQL, Valkey, Chromium. Each says in one line why it is missing."""


class Missing(RuntimeError):
    """A server cannot be had here; tests that need it are skipped with this reason (and fail in CI)."""
