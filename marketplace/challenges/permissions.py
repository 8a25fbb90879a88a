"""Who may reach the routes of challenges. What they see there is asked of the queries."""

from marketplace.kernel.access import ANYONE, AUDITOR, EDITOR, MANAGER, MEMBER, OPERATOR, allow, one_of

allow(
    {
        ("challenge", "list"): ANYONE,
        ("challenge", "read"): ANYONE,
        ("challenge", "mine"): MEMBER,
        ("challenge", "create"): EDITOR,
        ("challenge", "edit"): EDITOR,
        ("challenge", "annex"): EDITOR,
        ("challenge", "read_annex"): MEMBER,
        ("challenge", "submit"): EDITOR,
        ("challenge", "withdraw"): MANAGER,
        ("challenge", "deadline"): MANAGER,
        ("challenge", "take_down"): OPERATOR,
        ("challenge", "copy"): EDITOR,
        ("challenge", "review"): one_of(OPERATOR, AUDITOR),
        ("challenge", "approve"): OPERATOR,
        ("challenge", "return"): OPERATOR,
    }
)
