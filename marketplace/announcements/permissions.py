"""Who may reach the pages of announcements."""

from marketplace.kernel.access import ANYONE, AUDITOR, OPERATOR, allow, one_of

allow(
    {
        ("announcement", "browse"): ANYONE,
        ("announcement", "read"): ANYONE,
        ("announcement", "list_all"): one_of(OPERATOR, AUDITOR),
        ("announcement", "write"): OPERATOR,
        ("announcement", "act"): OPERATOR,
    }
)
