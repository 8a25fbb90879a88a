"""`flask match …`: each module brings its commands to the group; the engine is loaded where it is needed."""

from marketplace.matching.cli import (  # noqa: F401 - bring their commands
    assemble,
    evaluate,
    progress,
    replay,
    shortlists,
    stats,
    why,
)
from marketplace.matching.cli.group import match_cli

__all__ = ["match_cli"]
