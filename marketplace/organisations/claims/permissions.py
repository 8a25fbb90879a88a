"""Who may reach the pages of claims; whose claim it is, is asked again by the services."""

from marketplace.kernel.access import AUDITOR, MANAGER, OPERATOR, allow, one_of

allow(
    {
        ("claim", "list_own"): MANAGER,
        ("claim", "create"): MANAGER,
        ("claim", "show"): MANAGER,
        ("claim", "withdraw"): MANAGER,
        ("claim", "review"): one_of(OPERATOR, AUDITOR),
        ("claim", "decide"): OPERATOR,
    }
)
