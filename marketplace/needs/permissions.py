"""Who may reach the pages of need lists and their lines."""

from marketplace.kernel.access import ANYONE, AUDITOR, EDITOR, MEMBER, OPERATOR, allow, one_of

allow(
    {
        ("need", "browse"): ANYONE,
        ("need", "read"): ANYONE,
        ("need_list", "read"): ANYONE,
        ("need_list", "list_own"): MEMBER,
        ("need_list", "create"): EDITOR,
        ("need_list", "edit"): EDITOR,
        ("need", "create"): EDITOR,
        ("need", "edit"): EDITOR,
        # For a firm that agreed to it; the consent is asked for again.
        ("need", "enter_for"): OPERATOR,
        # Which act is whose is the lifecycle table's to say.
        ("need", "review"): one_of(OPERATOR, AUDITOR),
        ("need", "act"): one_of(EDITOR, OPERATOR),
    }
)
