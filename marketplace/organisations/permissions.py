"""Who may reach the pages of organisations; whose organisation it is, is asked again by the services."""

from marketplace.kernel.access import ANYONE, AUDITOR, MANAGER, OPERATOR, Audience, allow, one_of

# Nobody who works for the platform also acts for a firm on it.
PERSON = Audience("person without a platform role", lambda a: a.signed_in and a.platform_role is None)

allow(
    {
        ("organisation", "list"): ANYONE,
        ("organisation", "show"): ANYONE,
        ("organisation", "own"): PERSON,
        ("organisation", "register"): PERSON,
        ("organisation", "update"): MANAGER,
        ("organisation", "review"): one_of(OPERATOR, AUDITOR),
        ("organisation", "decide"): OPERATOR,
    }
)
