"""Who may see the reference data, and who may change it."""

from marketplace.kernel.access import ANYONE, MAINTAINER, allow

allow(
    {
        ("taxonomy", "list"): ANYONE,
        ("taxonomy", "read"): ANYONE,
        ("taxonomy", "export"): ANYONE,
        ("taxonomy", "manage"): MAINTAINER,
        ("taxonomy", "import"): MAINTAINER,
    }
)
