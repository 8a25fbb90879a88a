"""Who may reach the pages of all postings alike."""

from marketplace.kernel.access import ANYONE, allow

allow(
    {
        # Which versions somebody is shown, and whether with their differences, the revisions say.
        ("posting", "versions"): ANYONE,
    }
)
