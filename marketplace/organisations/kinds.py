"""What kinds of organisations, sizes and designations there are, with their names. Plain Python."""

from enum import StrEnum

from marketplace.kernel.texts import N_


class OrganisationKind(StrEnum):
    ENTERPRISE = "enterprise"
    UNIVERSITY = "university"
    INSTITUTE = "institute"
    SERVICE = "service"


class OrganisationSize(StrEnum):
    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    MICRO = "micro"


class DesignationKind(StrEnum):
    CHAIN_MASTER = "chain_master"
    LEADER = "leader"
    SRDI = "srdi"
    LITTLE_GIANT = "little_giant"
    HIGH_TECH = "high_tech"
    CHAMPION = "champion"


KIND_NAMES = {
    OrganisationKind.ENTERPRISE: N_("企业"),
    OrganisationKind.UNIVERSITY: N_("高校"),
    OrganisationKind.INSTITUTE: N_("科研院所"),
    OrganisationKind.SERVICE: N_("检测与服务机构"),
}
SIZE_NAMES = {
    OrganisationSize.LARGE: N_("大型"),
    OrganisationSize.MEDIUM: N_("中型"),
    OrganisationSize.SMALL: N_("小型"),
    OrganisationSize.MICRO: N_("微型"),
}
DESIGNATION_NAMES = {
    DesignationKind.CHAIN_MASTER: N_("链主企业"),
    DesignationKind.LEADER: N_("领军企业"),
    DesignationKind.SRDI: N_("专精特新中小企业"),
    DesignationKind.LITTLE_GIANT: N_("专精特新“小巨人”企业"),
    DesignationKind.HIGH_TECH: N_("高新技术企业"),
    DesignationKind.CHAMPION: N_("制造业单项冠军"),
}
# Who holds one of these, confirmed and unexpired, may post challenges.
LEADING = (DesignationKind.CHAIN_MASTER, DesignationKind.LEADER)
