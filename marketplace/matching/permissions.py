"""Who may reach the routes of matching. Which shortlist and which line is asked of the queries."""

from marketplace.kernel.access import (
    AUDITOR,
    MAINTAINER,
    MEMBER,
    OPERATOR,
    PLATFORM,
    SIGNED_IN,
    allow,
    one_of,
)

allow(
    {
        ("match", "read"): SIGNED_IN,
        ("match", "fits"): MEMBER,
        ("match", "monitor"): PLATFORM,
        ("settings", "read"): one_of(OPERATOR, AUDITOR),
        ("settings", "change"): OPERATOR,
        ("match", "retry"): one_of(OPERATOR, MAINTAINER),
    }
)
