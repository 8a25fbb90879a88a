"""The doors: signing in and out, registering, lost passwords, links from letters, and the two documents.

Not here: what somebody does with their own account (`own_views.py`) and with others' (`admin_views.py`).
"""

from http import HTTPStatus

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import (
    addresses,
    credentials,
    onboarding,
    queries,
    second_factor,
    services,
    sessions,
    throttling,
)
from marketplace.identity.documents import CURRENT_VERSIONS
from marketplace.identity.forms import (
    AddressForm,
    NewPasswordForm,
    PersonForm,
    SecondStepForm,
    SignInForm,
)
from marketplace.identity.models import ConsentDocument, OneTimeToken, TokenPurpose, User
from marketplace.identity.services import SpentToken, StalePassword
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed
from marketplace.kernel.paths import own_path

bp = Blueprint("identity", __name__)


def _address() -> str:
    return request.remote_addr or "unknown"


def refused(page: str, **values: object) -> ResponseReturnValue:
    return make_response(render_template(page, **values), HTTPStatus.UNPROCESSABLE_ENTITY)


# --- signing in and out ---------------------------------------------------------------------------------


@bp.get("/login")
@policy("session", "begin")
def sign_in() -> ResponseReturnValue:
    target = own_path(request.args.get("next", ""))
    if acting().signed_in:
        return redirect(target or url_for("workbench.home"))
    return render_template("identity/sign_in.html", form=SignInForm(formdata=None), next=target or "")


@bp.post("/login")
@policy("session", "begin")
def sign_in_post() -> ResponseReturnValue:
    form = SignInForm()
    target = own_path(request.form.get("next", "")) or ""
    if not form.validate():
        return refused("identity/sign_in.html", form=form, next=target)
    email, password = form.email.data, form.password.data
    account = (throttling.SIGN_IN_ACCOUNT, email)
    address = (throttling.SIGN_IN_ADDRESS, _address())
    throttling.throttle([account, address])
    user = _find_by_password(email, password)
    if user is None:
        return _wrong_password(form, target)
    user_id, verified = user.id, user.password_hash
    better_hash = credentials.hash_password(password) if credentials.needs_rehash(verified) else None
    now = clock.now()
    try:
        with transaction():
            user = services.get_unchanged(user_id, verified_hash=verified)
            if better_hash:
                services.rehash_password(user, better_hash, now=now)
            # Not the address: whoever has an account could forgive themself their tries at others'.
            throttling.forgive([account])
            if asks_code := user.second_factor_at is not None:
                sessions.begin_second_step(user, now=now)
            else:
                sessions.begin(user, now=now)
    except StalePassword:
        return _wrong_password(form, target)
    if asks_code:
        return redirect(url_for("identity.second_step", next=target or None))
    return redirect(target or url_for("workbench.home"))


@bp.route("/login/code", methods=["GET", "POST"])
@policy("session", "begin")
def second_step() -> ResponseReturnValue:
    """The second half of signing in, where the account has a second factor."""
    target = own_path(request.values.get("next", "")) or ""
    token = sessions.second_step_token()
    found = queries.find_live_token(token, TokenPurpose.SECOND_STEP, now=clock.now())
    if found is None:
        flash(_("请重新输入邮箱和密码"), "warning")
        return redirect(url_for("identity.sign_in", next=target or None))
    form, user_id = SecondStepForm(), found.user_id or 0
    if request.method == "GET":
        return render_template("identity/second_step.html", form=form, next=target)
    if not form.validate():
        return refused("identity/second_step.html", form=form, next=target)
    account = (throttling.SECOND_STEP_ACCOUNT, str(user_id))
    throttling.throttle([account, (throttling.SIGN_IN_ADDRESS, _address())])
    now = clock.now()
    try:
        with transaction():
            user = services.finish_second_step(token, now=now)
            if not second_factor.accepts(user, form.code.data, now=now):
                raise Obstructed([second_factor.wrong_code()])
            throttling.forgive([account])
            sessions.begin(user, now=now)
    except Obstructed as error:
        return refused("identity/second_step.html", form=form, next=target, obstacles=error.obstacles)
    except SpentToken:
        flash(_("请重新输入邮箱和密码"), "warning")
        return redirect(url_for("identity.sign_in", next=target or None))
    return redirect(target or url_for("workbench.home"))


def _wrong_password(form: SignInForm, target: str) -> ResponseReturnValue:
    wrong = Obstacle("email", _("邮箱或密码不正确"))
    return refused("identity/sign_in.html", form=form, next=target, obstacles=[wrong])


def _find_by_password(email: str, password: str) -> User | None:
    """The same work for known, unknown and disabled accounts."""
    user = queries.find_user_by_email(email)
    if user is not None and user.disabled_at is not None:
        user = None
    return user if credentials.is_password(password, user.password_hash if user else None) else None


@bp.post("/logout")
@policy("session", "end")
def sign_out() -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        sessions.end(now=now)
    response = redirect(url_for("portal.home"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


# --- registering ----------------------------------------------------------------------------------------


@bp.route("/register", methods=["GET", "POST"])
@policy("user", "register")
def register() -> ResponseReturnValue:
    """First step: prove the address. The answer is the same whether it has an account or not."""
    if acting().signed_in:
        return redirect(url_for(onboarding.next_endpoint("workbench.home")))
    form = AddressForm()
    if request.method == "GET":
        return render_template("identity/register.html", form=form)
    if not form.validate():
        return refused("identity/register.html", form=form)
    email = form.email.data
    throttling.throttle([(throttling.LETTER_ACCOUNT, email), (throttling.LETTER_ADDRESS, _address())])
    now = clock.now()
    with transaction():
        services.request_registration(
            email, path=url_for("identity.complete_registration", token=services.PLACE_IN_PATH), now=now
        )
    return letter_sent(email, minutes=24 * 60)


def letter_sent(email: str, *, minutes: int) -> ResponseReturnValue:
    folder = "" if current_app.config["SMTP_URL"] else "mail/"
    return render_template("identity/letter_sent.html", email=email, minutes=minutes, mail_folder=folder)


def _spent_link() -> ResponseReturnValue:
    return make_response(render_template("identity/spent_link.html"), HTTPStatus.GONE)


def _find_registration(token: str) -> OneTimeToken | None:
    now = clock.now()
    for purpose in (TokenPurpose.REGISTRATION, TokenPurpose.PLATFORM_INVITATION):
        if found := queries.find_live_token(token, purpose, now=now):
            return found
    return None


@bp.route("/register/<token>", methods=["GET", "POST"])
@policy("user", "register")
def complete_registration(token: str) -> ResponseReturnValue:
    """Second step, reached by the letter: the person. The organisation follows on a page of its own."""
    throttling.throttle([(throttling.TOKEN_ADDRESS, _address())])
    found = _find_registration(token)
    if found is None:
        return _spent_link()
    email, form = found.email, PersonForm()
    page = {"form": form, "email": email, "platform_role": found.platform_role, "token": token}
    if request.method == "GET":
        return render_template("identity/person.html", **page)
    obstacles = unlike(form) if form.validate() else []
    if form.errors or obstacles:
        return refused("identity/person.html", obstacles=obstacles, **page)
    try:
        hashed = services.prepare_password(form.password.data, name=form.name.data, email=email)
    except Obstructed as error:
        return refused("identity/person.html", obstacles=error.obstacles, **page)
    now = clock.now()
    try:
        with transaction():
            user = services.register_with_token(
                token, name=form.name.data, phone=form.phone.data, password_hash=hashed, now=now
            )
            sessions.begin(user, now=now)
    except SpentToken:
        return _spent_link()
    if user.platform_role is not None:
        return redirect(url_for("workbench.home"))
    return redirect(url_for(onboarding.next_endpoint("workbench.home")))


def unlike(form: NewPasswordForm) -> list[Obstacle]:
    if form.password.data == form.again.data:
        return []
    return [Obstacle("again", _("两次输入的密码不一致"))]


# --- passwords ------------------------------------------------------------------------------------------


@bp.route("/password/forgot", methods=["GET", "POST"])
@policy("user", "reset_password")
def forgot_password() -> ResponseReturnValue:
    form = AddressForm()
    if request.method == "GET":
        return render_template("identity/forgot.html", form=form)
    if not form.validate():
        return refused("identity/forgot.html", form=form)
    email = form.email.data
    throttling.throttle([(throttling.LETTER_ACCOUNT, email), (throttling.LETTER_ADDRESS, _address())])
    now = clock.now()
    with transaction():
        services.request_password_reset(
            email, path=url_for("identity.reset_password", token=services.PLACE_IN_PATH), now=now
        )
    return letter_sent(email, minutes=30)


@bp.route("/password/reset/<token>", methods=["GET", "POST"])
@policy("user", "reset_password")
def reset_password(token: str) -> ResponseReturnValue:
    throttling.throttle([(throttling.TOKEN_ADDRESS, _address())])
    found = queries.find_live_token(token, TokenPurpose.PASSWORD_RESET, now=clock.now())
    if found is None:
        return _spent_link()
    form = NewPasswordForm()
    if request.method == "GET":
        return render_template("identity/reset.html", form=form, token=token)
    obstacles = unlike(form) if form.validate() else []
    if form.errors or obstacles:
        return refused("identity/reset.html", form=form, token=token, obstacles=obstacles)
    user = queries.get_user(found.user_id or 0)
    try:
        hashed = services.prepare_password(form.password.data, name=user.name, email=user.email)
    except Obstructed as error:
        return refused("identity/reset.html", form=form, token=token, obstacles=error.obstacles)
    now = clock.now()
    try:
        with transaction():
            user = services.reset_password(token, hashed, now=now)
            throttling.forgive([(throttling.SIGN_IN_ACCOUNT, user.email)])
    except SpentToken:
        return _spent_link()
    flash(_("密码已更改，请用新密码登录"), "success")
    return redirect(url_for("identity.sign_in"))


# --- addresses ------------------------------------------------------------------------------------------


@bp.route("/email/confirm/<token>", methods=["GET", "POST"])
@policy("user", "confirm_email")
def confirm_email(token: str) -> ResponseReturnValue:
    """Reached by a letter to the address that is to be proved. Opening it changes nothing yet."""
    throttling.throttle([(throttling.TOKEN_ADDRESS, _address())])
    found = queries.find_live_token(token, TokenPurpose.EMAIL, now=clock.now())
    if found is None:
        return _spent_link()
    if request.method == "GET":
        return render_template("identity/confirm_email.html", email=found.email, token=token)
    now = clock.now()
    try:
        with transaction():
            addresses.confirm(token, now=now)
    except SpentToken:
        return _spent_link()
    flash(_("邮箱已确认"), "success")
    return redirect(url_for("identity.security" if acting().signed_in else "identity.sign_in"))


# --- documents ------------------------------------------------------------------------------------------


@bp.get("/terms")
@policy("document", "read")
def terms() -> ResponseReturnValue:
    return render_template("identity/terms.html", version=CURRENT_VERSIONS[ConsentDocument.TERMS])


@bp.get("/privacy")
@policy("document", "read")
def privacy() -> ResponseReturnValue:
    return render_template("identity/privacy.html", version=CURRENT_VERSIONS[ConsentDocument.PRIVACY])
