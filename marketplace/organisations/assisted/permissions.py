"""Who may reach the pages of assisted entry; what a consent covers is asked again by the services."""

from marketplace.kernel.access import ANYONE, AUDITOR, MANAGER, OPERATOR, allow, one_of
from marketplace.organisations.permissions import PERSON

allow(
    {
        ("assisted", "list"): one_of(OPERATOR, AUDITOR),
        ("assisted", "show"): one_of(OPERATOR, AUDITOR),
        ("assisted", "record"): OPERATOR,
        ("assisted", "enter"): OPERATOR,
        ("assisted", "end"): OPERATOR,
        ("assisted", "answer"): MANAGER,
        # Whoever has the link may open it; taking over asks for a person.
        ("assisted", "open_takeover"): ANYONE,
        ("assisted", "take_over"): PERSON,
    }
)
