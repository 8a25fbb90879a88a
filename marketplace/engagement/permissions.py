"""Who may reach the pages of engagement. Which approach, and as which side, is asked of the queries."""

from marketplace.kernel.access import EDITOR, MEMBER, allow

allow(
    {
        ("engagement", "send"): EDITOR,
        ("engagement", "read"): MEMBER,
        ("engagement", "act"): EDITOR,
        ("engagement", "remark"): EDITOR,
        ("engagement", "seen"): MEMBER,
    }
)
