"""Who may read letters: everybody their own. A signed link in a mail ends such mails without signing in."""

from marketplace.kernel.access import ANYONE, SIGNED_IN, allow

allow(
    {
        ("letter", "list"): SIGNED_IN,
        ("letter", "read"): SIGNED_IN,
        ("letter", "set"): SIGNED_IN,
        ("letter", "unsubscribe"): ANYONE,
    }
)
