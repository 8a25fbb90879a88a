"""Who may read letters: everybody their own."""

from marketplace.kernel.access import SIGNED_IN, allow

allow({("letter", "list"): SIGNED_IN, ("letter", "read"): SIGNED_IN})
