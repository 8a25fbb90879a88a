"""Who may search and keep what they found: everybody searches, people keep their own."""

from marketplace.kernel.access import ANYONE, SIGNED_IN, allow

allow(
    {
        ("search", "find"): ANYONE,
        ("search", "suggest"): ANYONE,
        ("saved_search", "list"): SIGNED_IN,
        ("saved_search", "save"): SIGNED_IN,
        ("saved_search", "change"): SIGNED_IN,
        ("favourite", "list"): SIGNED_IN,
        ("favourite", "keep"): SIGNED_IN,
    }
)
