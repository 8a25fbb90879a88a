"""Accounts as those see them who look after the platform: found, shut, opened; a lost second factor removed.

What an account does in its organisations is no business of these pages; other features may add to them
through the page `identity.account_of` of the panels.
"""

from http import HTTPStatus

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import queries, second_factor, services
from marketplace.identity.forms import AccountReasonForm
from marketplace.identity.queries import Wanted
from marketplace.identity.views import bp
from marketplace.kernel import clock
from marketplace.kernel.access import permits, policy
from marketplace.kernel.actor import PlatformRole, acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstructed
from marketplace.kernel.pagination import page_number
from marketplace.kernel.texts import N_

ROLE_NAMES = {
    PlatformRole.OPERATOR: N_("平台管理员"),
    PlatformRole.AUDITOR: N_("审计员"),
    PlatformRole.MAINTAINER: N_("系统管理员"),
    PlatformRole.EXPERT: N_("评审专家"),
}
FACETS = (
    {
        "name": "role",
        "label": N_("身份"),
        "options": [
            {"value": "person", "label": N_("单位用户")},
            *({"value": role.value, "label": name} for role, name in ROLE_NAMES.items()),
        ],
    },
    {
        "name": "state",
        "label": N_("状态"),
        "options": [
            {"value": "enabled", "label": N_("使用中")},
            {"value": "disabled", "label": N_("已停用")},
            {"value": "second_factor", "label": N_("已开启两步验证")},
        ],
    },
)


@bp.get("/workbench/accounts")
@policy("account", "list")
def accounts() -> ResponseReturnValue:
    wanted = Wanted(
        q=request.args.get("q", "")[:100],
        role=request.args.get("role", ""),
        state=request.args.get("state", ""),
    )
    return render_template(
        "identity/accounts.html",
        found=queries.page_accounts(wanted, page=page_number(request.args.get("page"))),
        facets=FACETS,
        roles=ROLE_NAMES,
    )


def _page(user_id: int, **values: object) -> str:
    user, actor = queries.get_user(user_id), acting()
    return render_template(
        "identity/account_of.html",
        user=user,
        roles=ROLE_NAMES,
        may_shut=services.may_shut(actor, user),
        may_reset=permits("account", "reset_second_factor", actor)
        and user.second_factor_at is not None
        and user.id != actor.user_id,
        **values,
    )


@bp.get("/workbench/accounts/<int:user_id>")
@policy("account", "list")
def account_of(user_id: int) -> ResponseReturnValue:
    return _page(user_id)


def _decided(user_id: int, message: str, errors: dict[str, str]) -> ResponseReturnValue:
    if errors:
        return make_response(_page(user_id, errors=errors), HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(message, "success")
    return redirect(url_for("identity.account_of", user_id=user_id))


def _reason_errors(form: AccountReasonForm) -> str:
    return " ".join(str(error) for error in form.reason.errors)


@bp.post("/workbench/accounts/<int:user_id>/<any(disable, enable):action>")
@policy("account", "shut")
def shut_account(user_id: int, action: str) -> ResponseReturnValue:
    form, now = AccountReasonForm(), clock.now()
    errors: dict[str, str] = {}
    change = services.disable_user if action == "disable" else services.enable_user
    if not form.validate():
        queries.get_user(user_id)
        errors[action] = _reason_errors(form)
    else:
        try:
            with transaction():
                change(queries.get_user_for_change(user_id), reason=form.reason.data, by=acting(), now=now)
        except Obstructed as error:
            errors[action] = " ".join(_(o.message, **o.params) for o in error.obstacles)
    done = _("账号已停用，其所有登录已退出") if action == "disable" else _("账号已启用")
    return _decided(user_id, done, errors)


@bp.post("/workbench/accounts/<int:user_id>/second-factor/reset")
@policy("account", "reset_second_factor")
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    form, now = AccountReasonForm(), clock.now()
    errors: dict[str, str] = {}
    if not form.validate():
        queries.get_user(user_id)
        errors["reset"] = _reason_errors(form)
    else:
        try:
            with transaction():
                user = queries.get_user_for_change(user_id)
                second_factor.reset(user, reason=form.reason.data, by=acting(), now=now)
        except Obstructed as error:
            errors["reset"] = " ".join(_(o.message, **o.params) for o in error.obstacles)
    return _decided(user_id, _("两步验证已移除，本人下次登录后重新设置"), errors)
