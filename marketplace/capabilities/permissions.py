"""Who may reach the pages of capabilities."""

from marketplace.kernel.access import ANYONE, AUDITOR, EDITOR, MEMBER, OPERATOR, allow, one_of

allow(
    {
        ("capability", "browse"): ANYONE,
        ("capability", "read"): ANYONE,
        ("capability", "list_own"): MEMBER,
        ("capability", "create"): EDITOR,
        ("capability", "edit"): EDITOR,
        # For a firm that agreed to it; the consent is asked for again.
        ("capability", "enter_for"): OPERATOR,
        # Which act is whose is the lifecycle table's to say.
        ("capability", "review"): one_of(OPERATOR, AUDITOR),
        ("capability", "act"): one_of(EDITOR, OPERATOR),
    }
)
