"""What engagement shows on the lines of shortlists and of what fits a supplier: state, buttons, remarks.

Read once for all lines of a page. Whoever belongs to neither side (operator, auditor) gets nothing here.
"""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm.attributes import set_committed_value

from marketplace.engagement import presenters, queries, rules
from marketplace.engagement.kinds import Side
from marketplace.engagement.limits import limits
from marketplace.engagement.presenters import in_words
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.matching.annotations import Lines
from marketplace.matching.models import PostingKind


def annotate(page: Lines) -> None:
    actor = page.actor
    if actor.organisation_role is None or not page.lines:
        return
    owns = actor.belongs_to(page.lines[0].seeker.organisation_id)
    if not page.own and not owns:
        return
    page.seen = seen(
        [(line.run.public_no, line.capability.public_no) for line in page.lines],
        opened=all(line.opened for line in page.lines),
    )
    asked = [line for line in page.lines if line.opened]
    if asked and len(asked) < len(page.lines):
        page.seen += seen([(line.run.public_no, line.capability.public_no) for line in asked], opened=True)
    if request.headers.get("HX-Request"):
        return
    if page.own:
        _for_supplier(page, actor)
    else:
        _for_seeker(page, actor)


def seen(lines: list[tuple[str, str]], *, opened: bool) -> Markup:
    """A mark by which the page, once it is read, tells that these lines were."""
    return Markup(render_template("engagement/_seen.html", lines=lines, opened=opened))  # noqa: S704


def _for_seeker(page: Lines, actor: Actor) -> None:
    now, posting = clock.now(), page.lines[0].seeker
    capabilities = [line.capability for line in page.lines]
    for line in page.lines:
        set_committed_value(line.capability, "organisation", line.organisation)
    about = queries.list_about(
        page.kind, posting.id, {line.organisation.id for line in page.lines}, viewer=actor
    )
    candidates = queries.read_candidates(posting, capabilities)
    dismissals = queries.list_dismissals(page.kind, posting.id, [c.id for c in capabilities], viewer=actor)
    notes = queries.list_notes(page.kind, [posting.id], viewer=actor)
    is_open = queries.is_open(posting, now=now)
    for line in page.lines:
        own = _find(dismissals, line.capability.id, Side.SEEKER)
        answer = _find(dismissals, line.capability.id, Side.SUPPLIER)
        if own is not None:
            page.folded[line.key] = gettext(
                "已标记不合适：%(reason)s", reason=in_words(Side.SEEKER, own.reason_code, own.reason)
            )
        found = about.get(line.organisation.id)
        approach = None if found is None else presenters.shown(found, posting, viewer=actor, now=now)
        page.below[line.key] = _below(
            line,
            page.kind,
            actor,
            side=Side.SEEKER,
            approach=approach,
            problem=rules.why_not_invited(candidates[line.capability.id]),
            dismissal=own,
            answer=None if answer is None else in_words(Side.SUPPLIER, answer.reason_code, answer.reason),
            notes=notes.get(line.key, []),
            may_send=is_open and actor.is_editor and actor.organisation_verified,
        )
    sent = queries.count_sent(page.kind, posting.id, organisation_id=posting.organisation_id, now=now)
    page.head = Markup(  # noqa: S704 - rendered with autoescape on
        render_template(
            "engagement/_head.html",
            kind=queries.PATHS[page.kind],
            posting=posting,
            sent=sent,
            limits=limits(),
            may_send=is_open and actor.is_editor and actor.organisation_verified,
        )
    )


def _for_supplier(page: Lines, actor: Actor) -> None:
    now = clock.now()
    posting_ids = {line.seeker.id for line in page.lines}
    about = queries.list_own_about(page.kind, posting_ids, viewer=actor)
    dismissals = queries.list_own_dismissals(page.kind, posting_ids, viewer=actor)
    notes = queries.list_notes(page.kind, posting_ids, viewer=actor)
    for line in page.lines:
        own, found = dismissals.get(line.seeker.id), about.get(line.seeker.id)
        if own is not None:
            page.folded[line.key] = gettext(
                "已表示暂不参与：%(reason)s", reason=in_words(Side.SUPPLIER, own.reason_code, own.reason)
            )
        approach = None if found is None else presenters.shown(found, line.seeker, viewer=actor, now=now)
        page.below[line.key] = _below(
            line,
            page.kind,
            actor,
            side=Side.SUPPLIER,
            approach=approach,
            problem=None,
            dismissal=own,
            answer=None,
            notes=notes.get(line.key, []),
            may_send=queries.is_open(line.seeker, now=now)
            and actor.is_editor
            and actor.organisation_verified,
        )


def _find(dismissals: list[Any], capability_id: int, side: Side) -> Any:
    return next((d for d in dismissals if d.capability_id == capability_id and d.side is side), None)


def _below(line: Any, kind: PostingKind, actor: Actor, **values: Any) -> Markup:
    path = queries.PATHS[kind]
    named = {"kind": path, "public_no": line.seeker.public_no}
    markup = render_template(
        "engagement/_line.html",
        line=line,
        kind=path,
        actor=actor,
        reasons=presenters.reason_options(values["side"]),
        dismiss_url=url_for("engagement.dismiss", **named),
        note_url=url_for("engagement.add_note", **named),
        back=request.full_path.rstrip("?"),
        **values,
    )
    return Markup(markup)  # noqa: S704 - rendered with autoescape on
