"""`flask match …`: each module brings its commands to the group; the engine is loaded where it is needed."""

from marketplace.matching.cli import shortlists  # noqa: F401 - brings its commands
from marketplace.matching.cli.group import match_cli

__all__ = ["match_cli"]
