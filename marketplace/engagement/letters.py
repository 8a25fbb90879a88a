"""The letters that approaches cause. None carries contact data: that is read on the page while it is open."""

from datetime import datetime

from marketplace.engagement import queries
from marketplace.engagement.kinds import APPROACH_NAMES, REASONS, ApproachKind, Side
from marketplace.engagement.models import Approach
from marketplace.kernel.dates import last_business_day
from marketplace.notifications.services import send_letter


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
        subject = f"{sender}邀请贵单位对接：{title}"
        body = (
            f"{sender}看到贵单位的能力“{approach.capability.title}”，邀请就“{title}”对接。"
            f"请在 {day} 前答复；接受后双方联系方式互相开放，谢绝请说明理由。\n\n留言：{approach.message}"
        )
    else:
        subject = f"{sender}对“{title}”表示意向"
        body = (
            f"{sender}以能力“{approach.capability.title}”对“{title}”表示意向。"
            f"请在 {day} 前答复；同意后双方联系方式互相开放，谢绝请说明理由。\n\n留言：{approach.message}"
        )
    _tell(approach.recipient_organisation_id, approach, "received", subject, body, at=at)


def tell_of_answer(approach: Approach, title: str, answerer: str, *, at: datetime) -> None:
    name = APPROACH_NAMES[approach.kind]
    if approach.status.value == "accepted":
        for organisation_id in (approach.sender_organisation_id, approach.recipient_organisation_id):
            own = organisation_id == approach.recipient_organisation_id
            subject = f"{'已同意' if own else answerer + '同意了'}{name}：{title}"
            body = f"就“{title}”的{name}已获同意。双方联系方式已互相开放，请登录后在往来页面查看。"
            _tell(organisation_id, approach, "accepted", subject, body, at=at)
        return
    side = Side.SUPPLIER if approach.kind is ApproachKind.INVITATION else Side.SEEKER
    label = REASONS[side].get(approach.reason_code, "") if approach.reason_code else ""
    reason = f"{label}{'：' if approach.reason else ''}{approach.reason}"
    body = f"就“{title}”的{name}没有达成对接。对方说明的理由：{reason}"
    _tell(
        approach.sender_organisation_id,
        approach,
        "declined",
        f"{answerer}谢绝了{name}：{title}",
        body,
        at=at,
    )


def tell_of_withdrawal(approach: Approach, title: str, sender: str, *, at: datetime) -> None:
    name = APPROACH_NAMES[approach.kind]
    note = f"对方说明：{approach.reason}" if approach.reason else "无需再答复。"
    body = f"{sender}撤回了就“{title}”的{name}。{note}"
    _tell(
        approach.recipient_organisation_id,
        approach,
        "withdrawn",
        f"{sender}撤回了{name}：{title}",
        body,
        at=at,
    )


def remind(approach: Approach, title: str, *, at: datetime) -> None:
    name, day = APPROACH_NAMES[approach.kind], last_business_day(approach.expires_at).isoformat()
    body = f"就“{title}”的{name}还没有答复，{day} 之后自动失效。"
    _tell(
        approach.recipient_organisation_id,
        approach,
        "reminder",
        f"请在 {day} 前答复{name}：{title}",
        body,
        at=at,
    )


def tell_of_end(approach: Approach, title: str, *, at: datetime) -> None:
    """Of the clock or the end of the posting, both sides hear."""
    name = APPROACH_NAMES[approach.kind]
    if approach.status.value == "expired":
        event, what, why = "expired", "已过期", "到期没有答复，已自动失效。可以重新发出。"
    else:
        event, what, why = "ended", "已终止", "发布物已撤回、截止，或一方资格暂停，不再需要答复。"
    for organisation_id in (approach.sender_organisation_id, approach.recipient_organisation_id):
        body = f"就“{title}”的{name}{why}"
        _tell(organisation_id, approach, event, f"{name}{what}：{title}", body, at=at)
