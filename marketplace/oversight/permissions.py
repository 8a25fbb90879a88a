"""Who may look back on what was done."""

from marketplace.kernel.access import AUDITOR, OPERATOR, allow, one_of

allow(
    {
        ("oversight", "trail"): AUDITOR,
        ("oversight", "history"): one_of(OPERATOR, AUDITOR),
        ("oversight", "funnel"): one_of(OPERATOR, AUDITOR),
    }
)
