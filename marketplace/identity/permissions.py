"""Who may reach the pages of accounts."""

from marketplace.kernel.access import ANYONE, MAINTAINER, OPERATOR, SIGNED_IN, allow, one_of

allow(
    {
        ("session", "begin"): ANYONE,
        ("session", "end"): ANYONE,
        ("user", "register"): ANYONE,
        ("user", "reset_password"): ANYONE,
        ("user", "update"): SIGNED_IN,
        ("user", "confirm_email"): ANYONE,
        # Whose accounts, is asked again by the services: an operator shuts nobody of the platform's.
        ("account", "list"): one_of(OPERATOR, MAINTAINER),
        ("account", "shut"): one_of(OPERATOR, MAINTAINER),
        ("account", "reset_second_factor"): MAINTAINER,
        ("document", "read"): ANYONE,
    }
)
