"""The letters that approaches cause. None carries contact data: that is read on the page while it is open."""

from datetime import datetime

from marketplace.engagement import queries
from marketplace.engagement.kinds import APPROACH_NAMES, REASONS, ApproachKind, Side
from marketplace.engagement.models import Approach
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told


def link_to(approach: Approach) -> str:
    return f"/workbench/approaches/{approach.public_no}"


def _tell(
    organisation_id: int, approach: Approach, event: str, subject: str, body: str, *, at: datetime
) -> None:
    send_letter(
        queries.list_writer_ids(organisation_id),
        f"{approach.kind.value}.{event}",
        subject,
        body,
        link_to(approach),
        at=at,
    )


def tell_of_sending(approach: Approach, title: str, sender: str, *, at: datetime) -> None:
    day = last_business_day(approach.expires_at).isoformat()
    if approach.kind is ApproachKind.INVITATION:
        subject = told(N_("%(sender)s邀请贵单位对接：%(title)s"), sender=sender, title=title)
        body = told(
            N_(
                "%(sender)s看到贵单位的能力“%(capability)s”，邀请就“%(title)s”对接。"
                "请在 %(day)s 前答复；接受后双方联系方式互相开放，谢绝请说明理由。\n\n留言：%(message)s"
            ),
            sender=sender,
            capability=approach.capability.title,
            title=title,
            day=day,
            message=approach.message,
        )
    else:
        subject = told(N_("%(sender)s对“%(title)s”表示意向"), sender=sender, title=title)
        body = told(
            N_(
                "%(sender)s以能力“%(capability)s”对“%(title)s”表示意向。"
                "请在 %(day)s 前答复；同意后双方联系方式互相开放，谢绝请说明理由。\n\n留言：%(message)s"
            ),
            sender=sender,
            capability=approach.capability.title,
            title=title,
            day=day,
            message=approach.message,
        )
    _tell(approach.recipient_organisation_id, approach, "received", subject, body, at=at)


def tell_of_answer(approach: Approach, title: str, answerer: str, *, at: datetime) -> None:
    name = told(APPROACH_NAMES[approach.kind])
    if approach.status.value == "accepted":
        for organisation_id in (approach.sender_organisation_id, approach.recipient_organisation_id):
            own = organisation_id == approach.recipient_organisation_id
            subject = (
                told(N_("已同意%(kind)s：%(title)s"), kind=name, title=title)
                if own
                else told(
                    N_("%(answerer)s同意了%(kind)s：%(title)s"), answerer=answerer, kind=name, title=title
                )
            )
            body = told(
                N_("就“%(title)s”的%(kind)s已获同意。双方联系方式已互相开放，请登录后在往来页面查看。"),
                title=title,
                kind=name,
            )
            _tell(organisation_id, approach, "accepted", subject, body, at=at)
        return
    side = Side.SUPPLIER if approach.kind is ApproachKind.INVITATION else Side.SEEKER
    label = told(REASONS[side].get(approach.reason_code, "") if approach.reason_code else "")
    reason = label + (told(N_("：")) + approach.reason if approach.reason else "")
    body = told(
        N_("就“%(title)s”的%(kind)s没有达成对接。对方说明的理由：%(reason)s"),
        title=title,
        kind=name,
        reason=reason,
    )
    _tell(
        approach.sender_organisation_id,
        approach,
        "declined",
        told(N_("%(answerer)s谢绝了%(kind)s：%(title)s"), answerer=answerer, kind=name, title=title),
        body,
        at=at,
    )


def tell_of_withdrawal(approach: Approach, title: str, sender: str, *, at: datetime) -> None:
    name = told(APPROACH_NAMES[approach.kind])
    body = told(N_("%(sender)s撤回了就“%(title)s”的%(kind)s。"), sender=sender, title=title, kind=name)
    if approach.reason:
        body += told(N_("对方说明：%(reason)s"), reason=approach.reason)
    else:
        body += told(N_("无需再答复。"))
    _tell(
        approach.recipient_organisation_id,
        approach,
        "withdrawn",
        told(N_("%(sender)s撤回了%(kind)s：%(title)s"), sender=sender, kind=name, title=title),
        body,
        at=at,
    )


def remind(approach: Approach, title: str, *, at: datetime) -> None:
    name, day = told(APPROACH_NAMES[approach.kind]), last_business_day(approach.expires_at).isoformat()
    body = told(
        N_("就“%(title)s”的%(kind)s还没有答复，%(day)s 之后自动失效。"), title=title, kind=name, day=day
    )
    _tell(
        approach.recipient_organisation_id,
        approach,
        "reminder",
        told(N_("请在 %(day)s 前答复%(kind)s：%(title)s"), day=day, kind=name, title=title),
        body,
        at=at,
    )


def tell_of_end(approach: Approach, title: str, *, at: datetime) -> None:
    """Of the clock or the end of the posting, both sides hear."""
    places = {"kind": told(APPROACH_NAMES[approach.kind]), "title": title}
    if approach.status.value == "expired":
        event, subject = "expired", told(N_("%(kind)s已过期：%(title)s"), **places)
        body = told(N_("就“%(title)s”的%(kind)s到期没有答复，已自动失效。可以重新发出。"), **places)
    else:
        event, subject = "ended", told(N_("%(kind)s已终止：%(title)s"), **places)
        body = told(
            N_("就“%(title)s”的%(kind)s已终止：发布物已撤回、截止，或一方资格暂停，不再需要答复。"), **places
        )
    for organisation_id in (approach.sender_organisation_id, approach.recipient_organisation_id):
        _tell(organisation_id, approach, event, subject, body, at=at)
