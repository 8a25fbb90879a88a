"""The operator's pages of weights and dictionaries: versions, proposals with their previews, decisions."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.kernel import clock
from marketplace.kernel.access import permits, policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import InvalidTransition, NotFound, Obstructed
from marketplace.kernel.forms import posted_text
from marketplace.language.dictionary import DEFAULT_DICTIONARY, Dictionary
from marketplace.matching import queries, setting_presenters, settings
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, Weights
from marketplace.matching.forms import DictionaryForm, WeightsForm
from marketplace.matching.lifecycle import SettingStatus
from marketplace.matching.views.blueprint import bp

_LONGEST_ID = 9


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


@bp.get("/settings")
@policy("settings", "read")
def settings_list() -> ResponseReturnValue:
    """What is in force, what is proposed, and what was."""
    return render_template(
        "matching/settings.html",
        weights=settings.weights_in_force(),
        dictionary=settings.dictionary_in_force(),
        rows={kind: settings.list_settings(kind) for kind in settings.KINDS},
        labels={kind: settings.life_of(kind).labels for kind in settings.KINDS},
    )


@bp.route("/settings/<any(weights, dictionary):kind>/new", methods=["GET", "POST"])
@policy("settings", "change")
def propose_setting(kind: str) -> ResponseReturnValue:
    """A form that begins with what is in force, with what comes with the program, or with another version."""
    which = cast("settings.Kind", kind)
    typed = request.form if request.method == "POST" else None
    form: Any
    if which == "weights":
        form = WeightsForm.beginning_with(_beginning(which), typed=typed)
    else:
        form = DictionaryForm.beginning_with(_beginning(which), typed=typed)
    if typed is None:
        return _form_page(which, form)
    if not form.validate():
        return _unprocessable(_form_page(which, form))
    content, obstacles = form.weights() if which == "weights" else form.dictionary()
    if content is None:
        return _unprocessable(_form_page(which, form, obstacles))
    try:
        with transaction():
            row = settings.propose(which, content, reason=form.reason.data, by=acting(), now=clock.now())
            id = row.id
    except Obstructed as error:
        return _unprocessable(_form_page(which, form, error.obstacles))
    flash(_("提案已保存，正在计算它会怎样改变现有名单"), "success")
    return redirect(url_for(".setting", kind=kind, id=id))


def _beginning(kind: settings.Kind) -> Any:
    asked = request.args.get("from", "")
    if asked == "shipped":
        return DEFAULT_WEIGHTS if kind == "weights" else DEFAULT_DICTIONARY
    read: Any = settings.get_weights if kind == "weights" else settings.get_dictionary
    if asked.isascii() and asked.isdigit() and len(asked) <= _LONGEST_ID:
        try:
            return read(int(asked))
        except ValueError:
            raise NotFound(asked) from None
    return settings.weights_in_force()[1] if kind == "weights" else settings.dictionary_in_force()[1]


def _form_page(kind: settings.Kind, form: Any, obstacles: Any = ()) -> str:
    return render_template("matching/setting_form.html", kind=kind, form=form, obstacles=list(obstacles))


@bp.get("/settings/<any(weights, dictionary):kind>/<int:id>")
@policy("settings", "read")
def setting(kind: str, id: int) -> ResponseReturnValue:
    """One version: what it changes, how shortlists would move by it, and the decisions that are open."""
    return _setting_page(cast("settings.Kind", kind), id)


def _setting_page(
    kind: settings.Kind, id: int, *, obstacles: Any = (), action: str = "", reason: str = ""
) -> str:
    row = settings.get_setting(kind, _key(id))
    work = settings.find_preview_work(kind, row.id)
    life = settings.life_of(kind)
    actor = acting()
    moves = []
    if permits("settings", "change", actor):
        moves = [
            (move, url_for(".decide_setting", kind=kind, id=row.id, action=move.action))
            for move in life.open_to(row.status, actor.parties(None))
        ]
    return render_template(
        "matching/setting.html",
        kind=kind,
        row=row,
        label=life.label(row.status),
        open=row.status is SettingStatus.PROPOSED,
        in_force=_in_force_id(kind) == row.id,
        moves=moves,
        work=work,
        preview=row.preview,
        computed_at=datetime.fromisoformat(row.preview["computed_at"]) if row.preview else None,
        current=settings.is_current(row.preview),
        names=queries.read_preview_names(row.preview) if row.preview else {},
        obstacles=list(obstacles),
        failed=action,
        reason=reason,
        **_content(kind, row),
    )


def _in_force_id(kind: settings.Kind) -> int | None:
    found = settings.weights_in_force() if kind == "weights" else settings.dictionary_in_force()
    return found[0]


def _content(kind: settings.Kind, row: settings.Row) -> dict[str, Any]:
    """What a version says and what it changes; unreadable ones are from another version of the program."""
    try:
        if kind == "weights":
            weights = Weights.from_dict(row.content)
            before = settings.weights_in_force()[1]
            return {
                "parts": setting_presenters.part_rules(weights),
                "numbers": [
                    *setting_presenters.mark_rules(weights),
                    *setting_presenters.text_rules(weights),
                    *setting_presenters.limit_rules(weights),
                ],
                "changes": setting_presenters.weight_changes(before, weights),
            }
        dictionary = Dictionary.from_dict(row.content)
        standing = settings.dictionary_in_force()[1]
        changes = setting_presenters.dictionary_changes(standing, dictionary)
        return {"dictionary": dictionary, "changes": changes}
    except ValueError as error:
        return {"unreadable": str(error)}


@bp.post("/settings/<any(weights, dictionary):kind>/<int:id>/<any(accept, withdraw, preview):action>")
@policy("settings", "change")
def decide_setting(kind: str, id: int, action: str) -> ResponseReturnValue:
    """Accept or withdraw a proposal with a reason, or have its preview computed anew."""
    which = cast("settings.Kind", kind)
    reason = posted_text("reason")
    try:
        with transaction():
            now = clock.now()
            if action == "accept":
                settings.accept(which, _key(id), reason=reason, by=acting(), now=now)
            elif action == "withdraw":
                settings.withdraw(which, _key(id), reason=reason, by=acting(), now=now)
            else:
                settings.request_preview(which, _key(id), by=acting(), now=now)
    except InvalidTransition:
        flash(_("该版本已经处理过，状态没有改变"), "warning")
        return redirect(url_for(".setting", kind=kind, id=id))
    except Obstructed as error:
        return _unprocessable(
            _setting_page(which, id, obstacles=error.obstacles, action=action, reason=reason)
        )
    said = {
        "accept": _("已采用，正在按它重新匹配全部名单"),
        "withdraw": _("提案已撤回"),
        "preview": _("已安排重新预览"),
    }
    flash(said[action], "success")
    return redirect(url_for(".setting", kind=kind, id=id))


def _key(id: int) -> int:
    """Keys beyond what a database holds name nothing."""
    if id >= 10**_LONGEST_ID:
        raise NotFound(str(id))
    return id
