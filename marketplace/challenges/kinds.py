"""The fixed choices of a challenge, with the words that people read. Plain Python."""

from enum import StrEnum

from marketplace.kernel.texts import N_


class Board(StrEnum):
    ENTERPRISE = "enterprise"
    GOVERNMENT = "government"


class Activity(StrEnum):
    APPLIED = "applied"
    DEVELOPMENT = "development"
    TRANSFER = "transfer"


class IpTerms(StrEnum):
    SEEKER = "seeker"
    SHARED = "shared"
    SOLVER = "solver"
    NEGOTIABLE = "negotiable"


class Publicity(StrEnum):
    PUBLIC = "public"
    PARTIAL = "partial"


BOARD_LABELS = {Board.ENTERPRISE: N_("企业榜"), Board.GOVERNMENT: N_("政府榜")}
ACTIVITY_LABELS = {
    Activity.APPLIED: N_("应用研究"),
    Activity.DEVELOPMENT: N_("试验发展"),
    Activity.TRANSFER: N_("成果转化应用"),
}
IP_LABELS = {
    IpTerms.SEEKER: N_("归发榜方"),
    IpTerms.SHARED: N_("双方共有"),
    IpTerms.SOLVER: N_("归揭榜方"),
    IpTerms.NEGOTIABLE: N_("另行约定"),
}
PUBLICITY_LABELS = {
    Publicity.PUBLIC: N_("全部公开"),
    Publicity.PARTIAL: N_("部分公开，另有保密附件"),
}
