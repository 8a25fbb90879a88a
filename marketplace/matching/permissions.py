"""Who may reach the routes of matching. Which shortlist and which line is asked of the queries."""

from marketplace.kernel.access import MAINTAINER, MEMBER, OPERATOR, PLATFORM, SIGNED_IN, allow, one_of

allow(
    {
        ("match", "read"): SIGNED_IN,
        ("match", "fits"): MEMBER,
        ("match", "monitor"): PLATFORM,
        ("match", "retry"): one_of(OPERATOR, MAINTAINER),
    }
)
