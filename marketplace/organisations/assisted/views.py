"""The pages of assisted entry: the operator's consents and forms, the firm's answer, and taking over."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.identity import services as identity
from marketplace.identity.sessions import signed_in
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting, forget_actor
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed
from marketplace.kernel.forms import Choice, Choices, Date, Form, LongText, Text, posted_text
from marketplace.kernel.pagination import page_number
from marketplace.organisations import filling, holdings, queries
from marketplace.organisations.assisted import queries as assisted
from marketplace.organisations.assisted import services
from marketplace.organisations.assisted.services import ConsentDraft
from marketplace.organisations.filling import Desk
from marketplace.organisations.kinds import CHANNEL_NAMES, ConsentChannel
from marketplace.organisations.lifecycle import ENTRY, OrganisationStatus
from marketplace.organisations.models import AssistedConsent, AssistedEntry, Organisation

bp = Blueprint("assisted", __name__)


def _scope_pairs() -> list[tuple[str, str]]:
    return [(kind, _(label)) for kind, label in services.scopes().items()]


class ConsentForm(Form):
    uscc = Text(
        _l("统一社会信用代码"),
        limit=40,
        description=_l("已注册的单位按代码识别；尚未注册的会新建一份单位草稿"),
    )
    name = Text(_l("单位名称"), limit=120)
    given_by = Text(_l("同意人"), limit=60, description=_l("代表单位表示同意的人"))
    given_position = Text(_l("职务"), limit=60)
    given_on = Date(_l("同意日期"))
    channel = Choice(
        _l("同意方式"),
        pairs=lambda: [(one.value, _(name)) for one, name in CHANNEL_NAMES.items()],
        kind=ConsentChannel,
    )
    scope = Choices(_l("同意范围"), pairs=_scope_pairs, description=_l("只能代为录入勾选的内容"))
    note = LongText(_l("记录"), limit=1000, rows=3, description=_l("在哪里、怎样征得同意；原件编号等"))


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


# --- consents ---------------------------------------------------------------------------------------------


@bp.get("/workbench/assisted")
@policy("assisted", "list")
def consents() -> ResponseReturnValue:
    found = assisted.page_consents(page=page_number(request.args.get("page")))
    return render_template("organisations/assisted/consents.html", found=found, scopes=services.scopes())


@bp.get("/workbench/assisted/new")
@policy("assisted", "record")
def new() -> ResponseReturnValue:
    return _new_page(ConsentForm(formdata=None))


def _new_page(form: ConsentForm, obstacles: tuple[Obstacle, ...] = ()) -> str:
    return render_template("organisations/assisted/new.html", form=form, obstacles=list(obstacles))


@bp.post("/workbench/assisted/new")
@policy("assisted", "record")
def create() -> ResponseReturnValue:
    form = ConsentForm()
    if not form.validate():
        return _unprocessable(_new_page(form))
    draft = ConsentDraft(
        given_by=form.given_by.data,
        given_position=form.given_position.data,
        given_on=form.given_on.data,
        channel=form.channel.data,
        scope=tuple(form.scope.data),
        note=form.note.data,
    )
    try:
        with transaction():
            consent, begun = services.start_for(
                form.name.data, form.uscc.data, draft, by=acting(), now=clock.now()
            )
            consent_id = consent.id
    except Obstructed as error:
        return _unprocessable(_new_page(form, error.obstacles))
    flash(_("已登记，单位草稿已建立") if begun else _("已登记"), "success")
    return redirect(url_for("assisted.show", consent_id=consent_id))


@bp.get("/workbench/assisted/<int:consent_id>")
@policy("assisted", "show")
def show(consent_id: int) -> ResponseReturnValue:
    consent = assisted.get_consent(consent_id)
    organisation = consent.organisation
    may_enter = acting().is_operator and consent.ended_at is None
    return render_template(
        "organisations/assisted/consent.html",
        consent=consent,
        organisation=organisation,
        channel=_(CHANNEL_NAMES[consent.channel]),
        scopes=services.scopes(),
        entries=_lines(assisted.list_under(consent.id)),
        doors=[
            (_(keeper.label), url_for(keeper.entry_endpoint, consent_id=consent.id))
            for keeper in holdings.keepers()
            if may_enter and keeper.entry_endpoint and keeper.kind in consent.scope
        ],
        may_fill=may_enter
        and services.ORGANISATION in consent.scope
        and organisation.status in (OrganisationStatus.DRAFT, OrganisationStatus.RETURNED),
        may_end=may_enter,
        has_manager=bool(queries.list_manager_ids(organisation.id)),
    )


def _lines(entries: list[AssistedEntry]) -> list[tuple[AssistedEntry, str, str, str]]:
    """(entry, title, url, status) of each; the title says what kind it is."""
    lines = []
    for entry in entries:
        keeper = holdings.keeper_of(entry.subject_kind)
        line = keeper.line(entry.subject_id) if keeper else None
        title = (
            _("%(kind)s：%(title)s", kind=_(keeper.label), title=line.title)
            if keeper and line
            else _("单位信息")
        )
        lines.append((entry, title, line.url if line else "", _(ENTRY.label(entry.status))))
    return lines


@bp.post("/workbench/assisted/<int:consent_id>/end")
@policy("assisted", "end")
def end(consent_id: int) -> ResponseReturnValue:
    with transaction():
        services.end_consent(assisted.get_consent(consent_id), by=acting(), now=clock.now())
    flash(_("已终止，不能再按这份同意代录入"), "success")
    return redirect(url_for("assisted.show", consent_id=consent_id))


@bp.post("/workbench/assisted/<int:consent_id>/tell")
@policy("assisted", "enter")
def tell(consent_id: int) -> ResponseReturnValue:
    """Write to the firm again; a link that was mailed before is void with it."""
    with transaction():
        told = services.tell_firm(assisted.get_consent(consent_id), by=acting(), now=clock.now())
    if told:
        flash(_("已通知单位"), "success")
    else:
        flash(_("单位没有管理员，也没有填写联系邮箱，请先补充联系邮箱"), "warning")
    return redirect(url_for("assisted.show", consent_id=consent_id))


# --- filling in the organisation --------------------------------------------------------------------------


def _consent_for(organisation_id: int) -> AssistedConsent:
    """The live consent that covers the organisation itself; raises NotFound without one."""
    for consent in assisted.list_live_consents(organisation_id):
        if services.ORGANISATION in consent.scope:
            return consent
    raise NotFound(f"organisation {organisation_id}")


def _desk(organisation_id: int) -> Desk:
    consent = _consent_for(organisation_id)

    def load() -> Organisation:
        _consent_for(organisation_id)
        return queries.get_organisation(organisation_id, viewer=acting())

    return Desk(
        load=load,
        url=lambda step: url_for("assisted.fill", organisation_id=organisation_id, step=step),
        submit_url=url_for("assisted.submit", organisation_id=organisation_id),
        done_url=url_for("assisted.show", consent_id=consent.id),
        crumbs=[
            (_("代录入"), url_for("assisted.consents")),
            (consent.organisation.name, url_for("assisted.show", consent_id=consent.id)),
        ],
        on_behalf=True,
    )


@bp.get(
    "/workbench/assisted/organisations/<int:organisation_id>"
    "/<any(basics, contact, designations, files, confirm):step>"
)
@policy("assisted", "enter")
def fill(organisation_id: int, step: str) -> ResponseReturnValue:
    return filling.show_step(_desk(organisation_id), step)


@bp.post("/workbench/assisted/organisations/<int:organisation_id>/<any(basics, contact, designations):step>")
@policy("assisted", "enter")
def save(organisation_id: int, step: str) -> ResponseReturnValue:
    return filling.save_step(_desk(organisation_id), step)


@bp.post("/workbench/assisted/organisations/<int:organisation_id>/submit")
@policy("assisted", "enter")
def submit(organisation_id: int) -> ResponseReturnValue:
    answer = filling.submit(_desk(organisation_id))
    organisation = queries.get_organisation(organisation_id, viewer=acting())
    if organisation.status is OrganisationStatus.PENDING:
        with transaction():
            services.tell_firm(_consent_for(organisation_id), by=acting(), now=clock.now())
    return answer


# --- the firm's answer ------------------------------------------------------------------------------------


@bp.get("/workbench/organisation/assisted")
@policy("assisted", "answer")
def entries() -> ResponseReturnValue:
    organisation_id = acting().organisation_id or 0
    return _entries_page(organisation_id)


def _entries_page(organisation_id: int, obstacles: tuple[Obstacle, ...] = ()) -> str:
    found = assisted.list_entries(organisation_id)
    return render_template(
        "organisations/assisted/entries.html",
        entries=_lines(found),
        consents={entry.consent_id: entry.consent for entry in found}.values(),
        channels={one.value: _(name) for one, name in CHANNEL_NAMES.items()},
        scopes=services.scopes(),
        obstacles=list(obstacles),
    )


@bp.post("/workbench/organisation/assisted/<int:entry_id>/confirm")
@policy("assisted", "answer")
def confirm(entry_id: int) -> ResponseReturnValue:
    with transaction():
        actor = acting()
        entry = assisted.get_entry(entry_id, organisation_id=actor.organisation_id or 0)
        services.confirm_entry(entry, by=actor, now=clock.now())
    flash(_("已确认"), "success")
    return redirect(url_for("assisted.entries"))


@bp.post("/workbench/organisation/assisted/<int:entry_id>/object")
@policy("assisted", "answer")
def object_to(entry_id: int) -> ResponseReturnValue:
    try:
        with transaction():
            actor = acting()
            entry = assisted.get_entry(entry_id, organisation_id=actor.organisation_id or 0)
            reason = posted_text("reason")
            services.object_to_entry(entry, reason=reason, by=actor, now=clock.now())
    except Obstructed as error:
        return _unprocessable(_entries_page(acting().organisation_id or 0, error.obstacles))
    flash(_("异议已提交，已发布的内容已撤回"), "success")
    return redirect(url_for("assisted.entries"))


# --- taking over ------------------------------------------------------------------------------------------


@bp.get("/takeover/<token>")
@policy("assisted", "open_takeover")
def takeover(token: str) -> ResponseReturnValue:
    consent = services.open_takeover(token, now=clock.now())
    return _takeover_page(consent, token)


def _takeover_page(consent: AssistedConsent, token: str, obstacles: tuple[Obstacle, ...] = ()) -> str:
    actor = acting()
    return render_template(
        "organisations/assisted/takeover.html",
        consent=consent,
        organisation=consent.organisation,
        token=token,
        may_take=actor.signed_in and actor.platform_role is None,
        obstacles=list(obstacles),
    )


@bp.post("/takeover/<token>")
@policy("assisted", "take_over")
def take_over(token: str) -> ResponseReturnValue:
    facts = signed_in()
    try:
        with transaction():
            organisation = services.take_over(token, by=acting(), now=clock.now())
            if facts is not None:
                identity.act_for_organisation(facts.session_id, organisation.id)
    except Obstructed as error:
        consent = services.open_takeover(token, now=clock.now())
        return _unprocessable(_takeover_page(consent, token, error.obstacles))
    forget_actor()
    flash(_("您已成为该单位的管理员，请逐项确认平台代录入的内容"), "success")
    return redirect(url_for("assisted.entries"))
