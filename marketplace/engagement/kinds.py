"""Kinds, reasons and whose contact is opened, with their names. Plain Python."""

from enum import StrEnum

from marketplace.kernel.texts import N_


class ApproachKind(StrEnum):
    INVITATION = "invitation"
    INTEREST = "interest"


class Side(StrEnum):
    SEEKER = "seeker"
    SUPPLIER = "supplier"


class ContactSource(StrEnum):
    ORGANISATION = "organisation"
    POSTING = "posting"
    PERSON = "person"


class Reason(StrEnum):
    """Why one side does not go on; a closed list, so that reasons can be counted."""

    INDICATORS = "indicators"
    EVIDENCE = "evidence"
    CAPACITY = "capacity"
    SCHEDULE = "schedule"
    PRICE = "price"
    REGION = "region"
    TERMS = "terms"
    SCOPE = "scope"
    KNOWN = "known"
    OTHER = "other"


class EventKind(StrEnum):
    SHOWN = "shown"
    OPENED = "opened"
    INVITED = "invited"
    REPLIED = "replied"
    AGREED = "agreed"


APPROACH_NAMES = {ApproachKind.INVITATION: N_("邀请"), ApproachKind.INTEREST: N_("意向")}
CONTACT_NAMES = {
    ContactSource.ORGANISATION: N_("单位登记的联系人"),
    ContactSource.POSTING: N_("榜单上填写的联系人"),
    ContactSource.PERSON: N_("经办人本人"),
}
#: What a seeker may say of a capability, and a supplier of a challenge or need.
SEEKER_REASONS = {
    Reason.INDICATORS: N_("关键指标达不到"),
    Reason.EVIDENCE: N_("缺少业绩或检测佐证"),
    Reason.CAPACITY: N_("产能或规模不合适"),
    Reason.REGION: N_("地区或交付距离不合适"),
    Reason.TERMS: N_("合作方式不合适"),
    Reason.SCOPE: N_("业务方向不一致"),
    Reason.KNOWN: N_("已有合适的供方"),
    Reason.OTHER: N_("其他"),
}
SUPPLIER_REASONS = {
    Reason.INDICATORS: N_("指标达不到"),
    Reason.CAPACITY: N_("产能或人手不足"),
    Reason.SCHEDULE: N_("时间来不及"),
    Reason.PRICE: N_("价格或经费不合适"),
    Reason.TERMS: N_("合作方式或知识产权约定不合适"),
    Reason.SCOPE: N_("不是本单位的业务方向"),
    Reason.OTHER: N_("其他"),
}
REASONS = {Side.SEEKER: SEEKER_REASONS, Side.SUPPLIER: SUPPLIER_REASONS}
