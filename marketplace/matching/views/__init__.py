"""The pages of matching: each module brings its routes to the one blueprint."""

from marketplace.matching.views import assembly, monitor, runs, settings, shortlists  # noqa: F401 - bring their routes
from marketplace.matching.views.blueprint import bp

__all__ = ["bp"]
