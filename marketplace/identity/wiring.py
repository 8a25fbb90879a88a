"""How this feature is wired into the application."""

from http import HTTPStatus

from flask import Flask, make_response, render_template
from werkzeug.wrappers import Response

from marketplace.identity import (
    admin_views,  # noqa: F401 - brings its routes
    duties,
    own_views,  # noqa: F401 - brings its routes
    permissions,  # noqa: F401 - names the audiences
    queries,
    sessions,
)
from marketplace.identity.commands import identity_cli
from marketplace.identity.throttling import TooManyAttempts
from marketplace.identity.views import bp
from marketplace.kernel import navigation
from marketplace.kernel.access import MAINTAINER, OPERATOR, SIGNED_IN, one_of
from marketplace.kernel.texts import N_
from marketplace.notifications.addresses import resolve_with
from marketplace.notifications.kinds import Group, register_all

LETTERS = {
    "identity.password_changed": N_("密码已更改"),
    "identity.new_device": N_("新设备登录"),
    "identity.second_factor_on": N_("两步验证已开启"),
    "identity.second_factor_off": N_("两步验证已关闭"),
    "identity.second_factor_reset": N_("两步验证被移除"),
    "identity.recovery_codes": N_("恢复码已重新生成"),
    "identity.recovery_code_used": N_("恢复码已使用"),
    "identity.email_change_requested": N_("申请更换邮箱"),
    "identity.email_changed": N_("邮箱已更换"),
    "identity.enabled": N_("账号已重新启用"),
}


def _too_many(error: TooManyAttempts) -> Response:
    page = render_template("errors/429.html", retry_after=error.retry_after)
    response = make_response(page, HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    sessions.init_app(app)
    app.before_request(duties.lead_to_duties)
    app.register_blueprint(bp)
    app.register_error_handler(TooManyAttempts, _too_many)
    app.cli.add_command(identity_cli)
    resolve_with(queries.addresses_of)
    register_all(Group.SECURITY, LETTERS)
    navigation.add_workbench(N_("账户"), N_("账号与密码"), "identity.account", SIGNED_IN, 95)
    navigation.add_workbench(N_("账户"), N_("登录与安全"), "identity.security", SIGNED_IN, 96)
    navigation.add_workbench(
        N_("系统"), N_("账号管理"), "identity.accounts", one_of(OPERATOR, MAINTAINER), 70
    )
