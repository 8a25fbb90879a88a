"""Who may see the pages that belong to nobody else."""

from marketplace.kernel.access import ANYONE, SIGNED_IN, allow

allow(
    {
        ("portal", "read"): ANYONE,
        ("portal", "display"): ANYONE,
        ("portal", "language"): ANYONE,
        ("portal", "workbench"): SIGNED_IN,
    }
)
