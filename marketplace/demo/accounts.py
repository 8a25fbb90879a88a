"""The people of the demonstration who are introduced by name: one for each role, all with one password."""

from dataclasses import dataclass

from marketplace.kernel.actor import OrganisationRole, PlatformRole

DOMAIN = "demo.example.com"
# Printed to everybody who starts a demonstration, and refused in production.
PASSWORD = "Bashan-Yeyu-2026"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Account:
    """`organisation` is a key of the demonstration's organisations, empty for people of the platform."""

    email: str
    name: str
    duty: str
    platform_role: PlatformRole | None = None
    organisation: str = ""
    organisation_role: OrganisationRole = OrganisationRole.MANAGER


def _address(name: str) -> str:
    return f"{name}@{DOMAIN}"


ACCOUNTS = (
    Account(_address("operator"), "苏远", "平台管理员（经信委）", PlatformRole.OPERATOR),
    Account(_address("auditor"), "闻清", "审计员", PlatformRole.AUDITOR),
    Account(_address("maintainer"), "匡正", "系统管理员", PlatformRole.MAINTAINER),
    Account(_address("leader"), "廖启航", "链主企业负责人", organisation="badu-auto"),
    Account(
        _address("leader-editor"),
        "韦婧",
        "链主企业经办人",
        organisation="badu-auto",
        organisation_role=OrganisationRole.EDITOR,
    ),
    Account(_address("sme"), "熊立", "中小企业负责人", organisation="tuoyun-brake"),
    Account(_address("institute"), "康朴", "科研院所负责人", organisation="bashan-inst"),
)


def account_of(platform_role: PlatformRole) -> Account:
    return next(account for account in ACCOUNTS if account.platform_role is platform_role)


def introduced(organisation: str) -> list[Account]:
    """Those of an organisation who are introduced by name."""
    return [account for account in ACCOUNTS if account.organisation == organisation]


def manager_address(organisation: str) -> str:
    """The address of the one who manages a demonstration organisation."""
    for account in introduced(organisation):
        if account.organisation_role is OrganisationRole.MANAGER:
            return account.email
    return _address(organisation)
