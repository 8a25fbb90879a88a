"""What somebody does with their own account: profile, password, address, second factor, sessions, consent."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import (
    addresses,
    credentials,
    duties,
    presenters,
    queries,
    second_factor,
    services,
    sessions,
    throttling,
)
from marketplace.identity.documents import CURRENT_VERSIONS
from marketplace.identity.forms import (
    ChangePasswordForm,
    ConsentForm,
    FullProofForm,
    NewAddressForm,
    NewCodeForm,
    ProfileForm,
    ProofForm,
)
from marketplace.identity.models import User
from marketplace.identity.queries import SignedIn
from marketplace.identity.services import StalePassword
from marketplace.identity.views import bp, letter_sent, refused, unlike
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed, SignInRequired
from marketplace.kernel.paths import own_path

P = ParamSpec("P")


def _facts() -> SignedIn:
    facts = sessions.signed_in()
    if facts is None:
        raise SignInRequired
    return facts


def _own_account() -> User:
    """The account; inside a transaction held to its end."""
    return queries.get_user(_facts().user_id)


def _next(default: str) -> str:
    return own_path(request.values.get("next", "")) or url_for(default)


# --- profile and password -------------------------------------------------------------------------------


def _account_page(
    profile: ProfileForm | None = None, password: ChangePasswordForm | None = None, **values: object
) -> str:
    user = _own_account()
    return render_template(
        "identity/account.html",
        user=user,
        consents=queries.list_consents(user.id),
        profile=profile or ProfileForm(formdata=None, obj=user),
        password=password or ChangePasswordForm(formdata=None),
        **values,
    )


@bp.get("/workbench/account")
@policy("user", "update")
def account() -> ResponseReturnValue:
    return _account_page()


@bp.post("/workbench/account")
@policy("user", "update")
def update_account() -> ResponseReturnValue:
    form = ProfileForm()
    if not form.validate():
        return make_response(_account_page(profile=form), HTTPStatus.UNPROCESSABLE_ENTITY)
    now = clock.now()
    with transaction():
        user = _own_account()
        services.update_profile(user, name=form.name.data, phone=form.phone.data, by=acting(), now=now)
    flash(_("个人信息已保存"), "success")
    return redirect(url_for("identity.account"))


@bp.post("/workbench/account/password")
@policy("user", "update")
def change_password() -> ResponseReturnValue:
    form, user = ChangePasswordForm(), _own_account()
    obstacles = unlike(form) if form.validate() else []
    if form.errors or obstacles:
        page = _account_page(password=form, obstacles=obstacles)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    limit = (throttling.SIGN_IN_ACCOUNT, user.email)
    throttling.throttle([limit])
    user = _own_account()
    user_id, verified = user.id, user.password_hash
    wrong = Obstacle("current", _("现在的密码不正确"))
    now = clock.now()
    try:
        if not credentials.is_password(form.current.data, verified):
            raise Obstructed([wrong])
        hashed = services.prepare_password(form.password.data, name=user.name, email=user.email)
        with transaction():
            user = services.get_unchanged(user_id, verified_hash=verified)
            services.change_password(user, hashed, now=now)
            throttling.forgive([limit])
            # The password alone is not what proves an account with a second factor.
            proved_at = _facts().authenticated_at if user.second_factor_at is not None else now
            sessions.begin(user, now=now, proved_at=proved_at)
    except (Obstructed, StalePassword) as error:
        obstacles = list(error.obstacles) if isinstance(error, Obstructed) else [wrong]
        page = _account_page(password=form, obstacles=obstacles)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(_("密码已更改，其他设备上的登录已全部退出"), "success")
    return redirect(url_for("identity.account"))


# --- the password anew ------------------------------------------------------------------------------------


def delicate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Ask for the password again where it was last given some time ago: a browser may stand open."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if sessions.has_proved_lately(now=clock.now()):
            return view(*args, **kwargs)
        back = request.full_path.rstrip("?") if request.method == "GET" else url_for("identity.security")
        return redirect(url_for("identity.prove", next=back), HTTPStatus.SEE_OTHER)

    return guarded


@bp.route("/workbench/account/prove", methods=["GET", "POST"])
@policy("user", "update")
def prove() -> ResponseReturnValue:
    """Give the password again, and the code where there is one, and go on."""
    facts, target = _facts(), _next("identity.security")
    form = FullProofForm() if facts.has_second_factor else ProofForm()
    page = {"form": form, "next": target}
    if request.method == "GET":
        return render_template("identity/prove.html", **page)
    if not form.validate():
        return refused("identity/prove.html", **page)
    limit = (throttling.PROOF_ACCOUNT, str(facts.user_id))
    throttling.throttle([limit])
    verified = _own_account().password_hash
    wrong = Obstacle("password", _("密码不正确"))
    now = clock.now()
    try:
        if not credentials.is_password(form.password.data, verified):
            raise Obstructed([wrong])
        with transaction():
            user = services.get_unchanged(facts.user_id, verified_hash=verified)
            if user.second_factor_at is not None and not second_factor.accepts(
                user, form.code.data if "code" in form else "", now=now
            ):
                raise Obstructed([second_factor.wrong_code()])
            throttling.forgive([limit])
            services.prove_again(facts.session_id, now=now)
    except (Obstructed, StalePassword) as error:
        obstacles = error.obstacles if isinstance(error, Obstructed) else (wrong,)
        return refused("identity/prove.html", obstacles=obstacles, **page)
    return redirect(target)


# --- signing in, as one place -------------------------------------------------------------------------------


@bp.get("/workbench/account/security")
@policy("user", "update")
def security() -> ResponseReturnValue:
    """How one signs in, and where one is signed in now."""
    facts, user = _facts(), _own_account()
    return render_template(
        "identity/security.html",
        user=user,
        required=duties.requires_second_factor(user.platform_role),
        codes_left=second_factor.count_recovery_codes(user.id) if user.second_factor_at else 0,
        sessions=[
            presenters.session_line(session, current_id=facts.session_id)
            for session in queries.list_sessions(user.id, now=clock.now())
        ],
    )


@bp.post("/workbench/account/sessions/<int:session_id>/end")
@policy("user", "update")
def end_session(session_id: int) -> ResponseReturnValue:
    facts, now = _facts(), clock.now()
    if session_id == facts.session_id:
        with transaction():
            sessions.end(now=now)
        return redirect(url_for("identity.sign_in"))
    with transaction():
        services.end_own_session(session_id, by=acting(), now=now)
    flash(_("该设备已退出登录"), "success")
    return redirect(url_for("identity.security"))


@bp.post("/workbench/account/sessions/end-others")
@policy("user", "update")
def end_other_sessions() -> ResponseReturnValue:
    facts, now = _facts(), clock.now()
    with transaction():
        ended = services.end_other_sessions(facts.session_id, by=acting(), now=now)
    flash(_("已退出其他 %(count)s 个登录", count=ended) if ended else _("没有其他登录"), "success")
    return redirect(url_for("identity.security"))


# --- the second factor --------------------------------------------------------------------------------------


def _set_up_page(form: NewCodeForm, **values: object) -> str:
    user, facts = _own_account(), _facts()
    key = second_factor.find_unconfirmed_key(user.id)
    return render_template(
        "identity/second_factor.html",
        user=user,
        form=form,
        key=second_factor.in_groups(key) if key else "",
        picture=second_factor.picture_of(key, account=user.email, issuer=current_app.config["SITE_NAME"])
        if key
        else "",
        owed=duties.owed_by(facts) == duties.SECOND_FACTOR,
        **values,
    )


@bp.get("/workbench/account/second-factor", endpoint="second_factor")
@policy("user", "update")
def set_up_second_factor() -> ResponseReturnValue:
    return _set_up_page(NewCodeForm(formdata=None))


@bp.post("/workbench/account/second-factor/begin")
@policy("user", "update")
@delicate
def begin_second_factor() -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        second_factor.begin(queries.get_user_for_change(_facts().user_id), now=now)
    return redirect(url_for("identity.second_factor"))


@bp.post("/workbench/account/second-factor/confirm")
@policy("user", "update")
@delicate
def confirm_second_factor() -> ResponseReturnValue:
    form, facts = NewCodeForm(), _facts()
    if not form.validate():
        return make_response(_set_up_page(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    limit = (throttling.SECOND_STEP_ACCOUNT, str(facts.user_id))
    throttling.throttle([limit])
    now = clock.now()
    try:
        with transaction():
            codes = second_factor.confirm(queries.get_user_for_change(facts.user_id), form.code.data, now=now)
            throttling.forgive([limit])
    except Obstructed as error:
        page = _set_up_page(form, obstacles=error.obstacles)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _show_codes(codes)


def _show_codes(codes: list[str]) -> ResponseReturnValue:
    """The answer itself shows them, this once: no address leads to them."""
    shown = [second_factor.in_groups(code) for code in codes]
    return render_template("identity/recovery_codes.html", codes=shown)


@bp.post("/workbench/account/second-factor/codes")
@policy("user", "update")
@delicate
def renew_recovery_codes() -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        codes = second_factor.renew_recovery_codes(queries.get_user_for_change(_facts().user_id), now=now)
    return _show_codes(codes)


@bp.post("/workbench/account/second-factor/off")
@policy("user", "update")
@delicate
def switch_off_second_factor() -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        user = queries.get_user_for_change(_facts().user_id)
        second_factor.switch_off(user, required=duties.requires_second_factor(user.platform_role), now=now)
    flash(_("两步验证已关闭"), "success")
    return redirect(url_for("identity.security"))


# --- the address --------------------------------------------------------------------------------------------


@bp.route("/workbench/account/email", methods=["GET", "POST"])
@policy("user", "update")
@delicate
def change_email() -> ResponseReturnValue:
    form, user = NewAddressForm(), _own_account()
    page = {"form": form, "user": user}
    if request.method == "GET":
        return render_template("identity/change_email.html", **page)
    if not form.validate():
        return refused("identity/change_email.html", **page)
    try:
        return _mail_proof(form.email.data)
    except Obstructed as error:
        page["user"] = _own_account()
        return refused("identity/change_email.html", obstacles=error.obstacles, **page)


@bp.post("/workbench/account/email/verify")
@policy("user", "update")
def verify_email() -> ResponseReturnValue:
    """Prove the address that the account has already."""
    return _mail_proof(_facts().email)


def _mail_proof(email: str) -> ResponseReturnValue:
    throttling.throttle(
        [(throttling.LETTER_ACCOUNT, email), (throttling.LETTER_ACCOUNT, f"#{_facts().user_id}")]
    )
    now = clock.now()
    with transaction():
        user = queries.get_user_for_change(_facts().user_id)
        path = url_for("identity.confirm_email", token=services.PLACE_IN_PATH)
        addresses.request_proof(user, email, path=path, by=acting(), now=now)
    return letter_sent(email, minutes=24 * 60)


# --- consent ------------------------------------------------------------------------------------------------


@bp.route("/workbench/account/consent", methods=["GET", "POST"])
@policy("user", "update")
def consent() -> ResponseReturnValue:
    """A document has changed since the person agreed to it."""
    form, target = ConsentForm(), _next("workbench.home")
    page = {"form": form, "next": target, "versions": CURRENT_VERSIONS}
    if request.method == "GET":
        return render_template("identity/consent.html", **page)
    if not form.validate():
        return refused("identity/consent.html", **page)
    now = clock.now()
    with transaction():
        user = queries.get_user_for_change(_facts().user_id)
        services.agree(user, CURRENT_VERSIONS, by=acting(), now=now)
    return redirect(target)
