"""What audit rows are called: an act by its lifecycle's button, else by its own name."""

from dataclasses import dataclass

from marketplace.announcements.lifecycle import LIFECYCLE as ANNOUNCEMENT
from marketplace.audit.models import AuditEvent
from marketplace.capabilities.lifecycle import LIFECYCLE as CAPABILITY
from marketplace.challenges.lifecycle import LIFECYCLE as CHALLENGE
from marketplace.engagement.kinds import SEEKER_REASONS, SUPPLIER_REASONS
from marketplace.engagement.lifecycle import INTEREST, INVITATION
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.texts import N_
from marketplace.matching.lifecycle import DICTIONARY, WEIGHTS
from marketplace.needs.lifecycle import LIFECYCLE as NEED
from marketplace.organisations.lifecycle import CLAIM, ENTRY
from marketplace.organisations.lifecycle import LIFECYCLE as ORGANISATION

LIFECYCLES: dict[str, Lifecycle] = {
    life.thing: life
    for life in (
        ANNOUNCEMENT,
        CHALLENGE,
        NEED,
        CAPABILITY,
        ORGANISATION,
        CLAIM,
        ENTRY,
        WEIGHTS,
        DICTIONARY,
        INVITATION,
        INTEREST,
    )
}
SUBJECTS = {
    "challenge": N_("榜单"),
    "need": N_("需求"),
    "need_list": N_("供需清单"),
    "capability": N_("能力成果"),
    "organisation": N_("单位"),
    "claim": N_("认领"),
    "assisted_consent": N_("代录入同意"),
    "assisted_entry": N_("代录入"),
    "membership": N_("成员"),
    "member_invitation": N_("成员邀请"),
    "user": N_("账号"),
    "import_batch": N_("导入"),
    "staged_import": N_("导入文件"),
    "export": N_("导出"),
    "taxonomy": N_("分类数据"),
    "taxonomy_version": N_("分类版本"),
    "announcement": N_("公告"),
    "attachment": N_("附件"),
    "outbox": N_("后台作业"),
    "weights": N_("匹配参数"),
    "dictionary": N_("匹配词典"),
    "invitation": N_("邀请"),
    "interest": N_("意向"),
    "dismissal": N_("不合适标记"),
    "note": N_("备注"),
}
# Acts that no lifecycle has a button for: by the part after the dot, or whole where that says too little.
ACTS = {
    "create": N_("新建"),
    "edit": N_("修改"),
    "update": N_("修改资料"),
    "revise": N_("修订"),
    "copy": N_("复制为新"),
    "collect": N_("收录"),
    "discard": N_("放弃登记"),
    "confirm_designations": N_("确认资质称号"),
    "register": N_("注册"),
    "request": N_("申请加入"),
    "accept": N_("同意加入"),
    "decline": N_("谢绝加入"),
    "take_over": N_("接管单位账户"),
    "designation_remind": N_("提醒称号到期"),
    "designation_lapse": N_("称号失效"),
    "claim.create": N_("申请认领"),
    "assisted_consent.record": N_("登记单位同意"),
    "assisted_consent.invite": N_("发送接管链接"),
    "assisted_consent.end": N_("终止单位同意"),
    "assisted_entry.enter": N_("代录入"),
    "change_role": N_("调整角色"),
    "remove": N_("移出成员"),
    "leave": N_("退出单位"),
    "sign_in": N_("登录"),
    "sign_out": N_("退出登录"),
    "invite": N_("邀请"),
    "disable": N_("停用账号"),
    "enable": N_("启用账号"),
    "rehash": N_("更新密码散列"),
    "request_reset": N_("申请重设密码"),
    "reset_password": N_("重设密码"),
    "change_password": N_("修改密码"),
    "consent": N_("同意协议"),
    "end_session": N_("退出一个设备"),
    "end_sessions": N_("退出其他设备"),
    "request_email": N_("申请更换或验证邮箱"),
    "verify_email": N_("验证邮箱"),
    "change_email": N_("更换邮箱"),
    "second_factor_on": N_("开启两步验证"),
    "second_factor_off": N_("关闭两步验证"),
    "second_factor_reset": N_("移除两步验证"),
    "recovery_codes": N_("重新生成恢复码"),
    "recovery_code_used": N_("使用恢复码"),
    "membership.disable": N_("停用成员"),
    "membership.enable": N_("恢复成员"),
    "membership.join": N_("受邀加入"),
    "member_invitation.send": N_("邀请成员"),
    "member_invitation.resend": N_("重新发送邀请"),
    "member_invitation.withdraw": N_("撤回邀请"),
    "member_invitation.accept": N_("接受邀请"),
    "attachment.attach": N_("上传文件"),
    "attachment.remove": N_("删除文件"),
    "attachment.download": N_("下载保密文件"),
    "attachment.sweep": N_("清理文件"),
    "exchange.import": N_("导入收录条目"),
    "exchange.upload": N_("上传导入文件"),
    "exchange.apply": N_("导入文件中的各行"),
    "exchange.cancel": N_("取消导入"),
    "exchange.export": N_("导出列表"),
    "taxonomy.load": N_("装入分类数据"),
    "taxonomy.import": N_("导入分类版本"),
    "letter.settings": N_("更改通知设置"),
    "match.retry": N_("重试失败作业"),
    "propose": N_("提出"),
    "preview": N_("重新预览"),
    "send": N_("发出"),
    "remind": N_("提醒答复"),
    "close_contact": N_("收回联系方式"),
    "make": N_("标记"),
    "undo": N_("取消标记"),
    "note.add": N_("添加备注"),
    "note.remove": N_("删除备注"),
}
MEMBERSHIP_STATUSES = {
    "requested": N_("待同意"),
    "active": N_("在职"),
    "disabled": N_("已停用"),
    "declined": N_("已谢绝"),
    "left": N_("已退出"),
}
ROLES = {
    "system": N_("系统"),
    "operator": N_("平台管理员"),
    "auditor": N_("审计员"),
    "maintainer": N_("系统管理员"),
    "expert": N_("评审专家"),
    "manager": N_("单位管理员"),
    "editor": N_("单位经办"),
    "reader": N_("单位成员"),
    "person": N_("个人"),
}


# Acts whose reason begins with a code from a list; a dismissal does not say which side made it.
CODED_REASONS: dict[str, dict[str, str]] = {
    "invitation.decline": {code.value: label for code, label in SUPPLIER_REASONS.items()},
    "interest.decline": {code.value: label for code, label in SEEKER_REASONS.items()},
    "dismissal.make": {code.value: label for code, label in (SUPPLIER_REASONS | SEEKER_REASONS).items()},
}


@dataclass(frozen=True, slots=True)
class EventLine:
    """One audit row in words; all labels are gettext sources, `who` and `reason` what somebody wrote."""

    event: AuditEvent
    act: str
    subject: str
    who: str
    role: str
    from_label: str
    to_label: str
    reason_label: str
    reason: str


def event_line(event: AuditEvent) -> EventLine:
    thing, _, action = event.type.partition(".")
    life = LIFECYCLES.get(thing)
    reason_label, reason = _reason(event)
    return EventLine(
        event=event,
        act=_act(life, action, event.type),
        subject=SUBJECTS.get(event.subject_kind, event.subject_kind),
        who="" if event.actor_role == "system" else event.actor_name,
        role=ROLES.get(event.actor_role, event.actor_role),
        from_label=_status(life, event.from_status),
        to_label=_status(life, event.to_status),
        reason_label=reason_label,
        reason=reason,
    )


def _reason(event: AuditEvent) -> tuple[str, str]:
    code, _, rest = event.reason.partition(" ")
    label = CODED_REASONS.get(event.type, {}).get(code)
    return (label, rest) if label else ("", event.reason)


def _act(life: Lifecycle | None, action: str, whole: str) -> str:
    if life is not None:
        move = next((t for t in life.transitions if t.action == action), None)
        if move is not None:
            return move.label
    return ACTS.get(whole) or ACTS.get(action, whole)


def _status(life: Lifecycle | None, status: str | None) -> str:
    if status is None:
        return ""
    return life.label(status) if life is not None else MEMBERSHIP_STATUSES.get(status, status)
