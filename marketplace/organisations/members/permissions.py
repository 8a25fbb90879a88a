"""Who may reach the pages of members; whose organisation it is, is asked again by the services."""

from marketplace.kernel.access import ANYONE, MANAGER, MEMBER, OPERATOR, allow, one_of
from marketplace.organisations.permissions import PERSON

allow(
    {
        ("organisation", "join"): PERSON,
        ("organisation", "switch"): PERSON,
        ("membership", "own"): PERSON,
        ("membership", "list"): MEMBER,
        ("membership", "manage"): MANAGER,
        ("membership", "decide"): one_of(MANAGER, OPERATOR),
        ("membership", "leave"): PERSON,
        # Whoever has the link may open it; what it lets them do is asked again.
        ("member_invitation", "open"): ANYONE,
        ("member_invitation", "accept"): PERSON,
        ("member_invitation", "manage"): MANAGER,
    }
)
