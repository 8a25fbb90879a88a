"""Who may see the reference data."""

from marketplace.kernel.access import ANYONE, allow

allow({("taxonomy", "list"): ANYONE})
