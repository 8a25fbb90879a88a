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


class ClaimBasis(StrEnum):
    CODE = "code"
    EVIDENCE = "evidence"


class ConsentChannel(StrEnum):
    WRITTEN = "written"
    ON_SITE = "on_site"
    PHONE = "phone"
    MAIL = "mail"


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
CLAIM_BASIS_NAMES = {
    ClaimBasis.CODE: N_("统一社会信用代码一致"),
    ClaimBasis.EVIDENCE: N_("提交证明材料"),
}
CHANNEL_NAMES = {
    ConsentChannel.WRITTEN: N_("书面同意书"),
    ConsentChannel.ON_SITE: N_("走访当面同意"),
    ConsentChannel.PHONE: N_("电话同意"),
    ConsentChannel.MAIL: N_("邮件同意"),
}
# Who holds one of these, confirmed and unexpired, may post challenges.
LEADING = (DesignationKind.CHAIN_MASTER, DesignationKind.LEADER)
