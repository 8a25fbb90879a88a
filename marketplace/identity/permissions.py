"""Who may reach the pages of accounts."""

from marketplace.kernel.access import ANYONE, SIGNED_IN, allow

allow(
    {
        ("session", "begin"): ANYONE,
        ("session", "end"): ANYONE,
        ("user", "register"): ANYONE,
        ("user", "reset_password"): ANYONE,
        ("user", "update"): SIGNED_IN,
        ("document", "read"): ANYONE,
    }
)
