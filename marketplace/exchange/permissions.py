"""Who may bring files in and take lists out; which ones, the targets and lists say themselves."""

from marketplace.kernel.access import EDITOR, OPERATOR, SIGNED_IN, allow, one_of

IMPORTER = one_of(EDITOR, OPERATOR)

allow({("import", "use"): IMPORTER, ("export", "run"): SIGNED_IN})
