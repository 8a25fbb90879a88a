"""The fixed choices of a capability. Plain Python, for rules, models and forms alike."""

from enum import StrEnum

from marketplace.kernel.texts import N_


class CapabilityKind(StrEnum):
    CAPABILITY = "capability"
    RESULT = "result"
    PRODUCT = "product"


class Maturity(StrEnum):
    CONCEPT = "concept"
    LAB = "lab"
    PROTOTYPE = "prototype"
    PILOT = "pilot"
    MASS = "mass"


class IpStatus(StrEnum):
    NONE = "none"
    APPLIED = "applied"
    GRANTED = "granted"
    SECRET = "secret"  # noqa: S105 - 技术秘密, a kind of protection


KIND_LABELS = {
    CapabilityKind.CAPABILITY: N_("能力"),
    CapabilityKind.RESULT: N_("成果"),
    CapabilityKind.PRODUCT: N_("产品"),
}
MATURITY_LABELS = {
    Maturity.CONCEPT: N_("概念"),
    Maturity.LAB: N_("实验室"),
    Maturity.PROTOTYPE: N_("样机"),
    Maturity.PILOT: N_("小批试制"),
    Maturity.MASS: N_("量产"),
}
IP_LABELS = {
    IpStatus.NONE: N_("无"),
    IpStatus.APPLIED: N_("已申请专利"),
    IpStatus.GRANTED: N_("已授权专利"),
    IpStatus.SECRET: N_("技术秘密"),
}
