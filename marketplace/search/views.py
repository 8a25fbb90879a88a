"""The search page, suggestions while typing, saved searches and favourites."""

from http import HTTPStatus

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError

from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed
from marketplace.kernel.pagination import page_number
from marketplace.kernel.paths import own_path
from marketplace.search import presenters, queries, services, tally, throttle, vocabulary
from marketplace.search.asked import Asked
from marketplace.search.forms import FREQUENCY_NAMES, FrequencyForm, SavedSearchForm
from marketplace.search.models import Frequency
from marketplace.search.question import LONGEST_QUERY, Question
from marketplace.search.sources import registered
from marketplace.search.tokens import spelled

bp = Blueprint("search", __name__)

SEARCHES_A_MINUTE = 60
SUGGESTIONS_A_MINUTE = 240
#: With fewer hits than this a better spelling is looked for.
FEW_HITS = 3
# The search box wrote these into addresses that people have kept.
FORMER_SCOPES = {"challenges": "challenge", "needs": "need", "capabilities": "capability"}


def _asked() -> Asked:
    args = {name: request.args[name] for name in request.args}
    args["scope"] = FORMER_SCOPES.get(args.get("scope", ""), args.get("scope", ""))
    return Asked.from_args(args, presenters.scopes())


def _address() -> str:
    return request.remote_addr or "unknown"


def _wait_page(seconds: int) -> ResponseReturnValue:
    response = make_response(
        render_template("errors/429.html", retry_after=seconds), HTTPStatus.TOO_MANY_REQUESTS
    )
    response.headers["Retry-After"] = str(seconds)
    return response


@bp.get("/search")
@policy("search", "find")
def find() -> ResponseReturnValue:
    if seconds := throttle.seconds_to_wait("find", _address(), most=SEARCHES_A_MINUTE):
        return _wait_page(seconds)
    asked, now = _asked(), clock.now()
    if len(asked.q) > LONGEST_QUERY:
        too_long = Obstacle(
            "q",
            gettext(
                "关键词最多 %(limit)s 个字符，您输入了 %(typed)s 个", limit=LONGEST_QUERY, typed=len(asked.q)
            ),
        )
        page = render_template("search/too_long.html", obstacles=[too_long], asked=asked)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    question = queries.ask(asked.q)
    page_of_hits = queries.find(asked, question, now=now)
    values = presenters.found_page(asked, question, page_of_hits, user_id=acting().user_id, now=now)
    meant = ""
    if question.askable and page_of_hits.total < FEW_HITS:
        meant = vocabulary.mend(question)
    if page_of_hits.total and asked.page == 1 and vocabulary.is_vocabulary(question):
        tally.note(_counted_as(question), address=_address(), now=now)
    hot = tally.hot_words(now=now) if question.empty or not page_of_hits.total else ()
    return render_template("search/found.html", meant=meant, hot=hot, scopes=presenters.scopes(), **values)


def _counted_as(question: Question) -> str:
    return spelled(" ".join(question.asked.replace('"', " ").split()))


@bp.get("/search/suggest")
@policy("search", "suggest")
def suggest() -> ResponseReturnValue:
    """Options for the search box; an address that asks too often gets none for a while."""
    typed = request.args.get("q", "")[:LONGEST_QUERY]
    waiting = throttle.seconds_to_wait("suggest", _address(), most=SUGGESTIONS_A_MINUTE)
    words = [] if waiting else vocabulary.suggest(typed)
    response = make_response(render_template("search/_suggestions.html", words=words))
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


def write_tally_after_changes() -> None:
    """Called at the end of a request that writes anyway; searching itself writes nothing."""
    if not tally.is_due():
        return
    taken = tally.take()
    try:
        with transaction():
            tally.write(taken, now=clock.now())
    except SQLAlchemyError:
        db.session.rollback()
        current_app.logger.warning("the numbers of %s searches were not written", len(taken))


# --- saved searches -------------------------------------------------------------------------------------


@bp.get("/workbench/searches")
@policy("saved_search", "list")
def saved() -> ResponseReturnValue:
    rows = []
    for one in queries.list_saved(acting().user_id or 0):
        asked = Asked.from_args(one.asked, presenters.scopes())
        rows.append((one, presenters.in_words(asked), FrequencyForm(formdata=None, obj=one)))
    return render_template(
        "search/saved.html", rows=rows, most=services.MOST_SAVED, frequencies=FREQUENCY_NAMES
    )


@bp.get("/workbench/searches/new")
@policy("saved_search", "save")
def new_saved() -> ResponseReturnValue:
    asked = _asked()
    form = SavedSearchForm(
        formdata=None,
        data={"name": asked.q[: services.LONGEST_NAME], "frequency": Frequency.DAILY.value},
    )
    return _saved_form(form, asked)


@bp.post("/workbench/searches/new")
@policy("saved_search", "save")
def save() -> ResponseReturnValue:
    asked, form = _asked(), SavedSearchForm()
    obstacles: tuple[Obstacle, ...] = ()
    if len(asked.q) > LONGEST_QUERY:
        obstacles = (Obstacle("name", gettext("关键词最多 %(limit)s 个字符", limit=LONGEST_QUERY)),)
    elif form.validate():
        now = clock.now()
        try:
            with transaction():
                services.save_search(
                    form.name.data or "",
                    asked,
                    Frequency(form.frequency.data),
                    by=acting(),
                    now=now,
                )
            flash(gettext("已保存检索“%(name)s”", name=form.name.data), "success")
            return redirect(url_for("search.saved"))
        except Obstructed as error:
            obstacles = error.obstacles
    return _saved_form(form, asked, obstacles), HTTPStatus.UNPROCESSABLE_ENTITY


def _saved_form(form: SavedSearchForm, asked: Asked, obstacles: tuple[Obstacle, ...] = ()) -> str:
    return render_template(
        "search/save.html",
        form=form,
        asked=asked,
        in_words=presenters.in_words(asked) if len(asked.q) <= LONGEST_QUERY else "",
        obstacles=obstacles,
        url=url_for("search.save", **asked.args()),  # type: ignore[arg-type]
        back=url_for("search.find", **asked.args()),  # type: ignore[arg-type]
    )


@bp.get("/workbench/searches/<int:saved_id>")
@policy("saved_search", "list")
def open_saved(saved_id: int) -> ResponseReturnValue:
    """Search again, the newest first; where a letter leads."""
    one = queries.get_saved(saved_id, user_id=acting().user_id or 0)
    asked = Asked.from_args(one.asked, presenters.scopes())
    return redirect(url_for("search.find", **asked.args(), sort="new"))  # type: ignore[arg-type]


@bp.post("/workbench/searches/<int:saved_id>/frequency")
@policy("saved_search", "change")
def set_frequency(saved_id: int) -> ResponseReturnValue:
    form = FrequencyForm()
    if not form.validate():
        raise Obstructed([Obstacle("frequency", gettext("请选择提醒方式"))])
    frequency, now = Frequency(form.frequency.data), clock.now()
    with transaction():
        one = services.set_frequency(saved_id, frequency, by=acting(), now=now)
        name = one.name
    if frequency is Frequency.NEVER:
        flash(gettext("检索“%(name)s”不再提醒", name=name), "success")
    else:
        flash(gettext("检索“%(name)s”的提醒方式已更新", name=name), "success")
    return redirect(url_for("search.saved"))


@bp.post("/workbench/searches/<int:saved_id>/delete")
@policy("saved_search", "change")
def delete_saved(saved_id: int) -> ResponseReturnValue:
    with transaction():
        name = services.delete_saved(saved_id, by=acting())
    flash(gettext("已删除检索“%(name)s”", name=name), "success")
    return redirect(url_for("search.saved"))


# --- favourites -----------------------------------------------------------------------------------------


@bp.get("/workbench/favourites")
@policy("favourite", "list")
def favourites() -> ResponseReturnValue:
    user_id, now = acting().user_id or 0, clock.now()
    kind = request.args.get("kind", "")
    kind = kind if kind in presenters.scopes() else ""
    counts = queries.count_favourites(user_id)
    gone = counts.pop("", 0)
    total = counts.get(kind, 0) if kind else sum(counts.values())
    page = queries.page_favourites(
        user_id, kind=kind, page=page_number(request.args.get("page")), total=total
    )
    everything = {(hit.document.kind, hit.document.subject_id) for hit in page.items}
    tabs = [("", gettext("全部"), sum(counts.values()))]
    tabs += [(source.kind, gettext(source.label), counts.get(source.kind, 0)) for source in registered()]
    nothing = queries.ask("")
    return render_template(
        "search/favourites.html",
        page=page,
        lines=presenters.lines(page.items, nothing, kept=everything, now=now),
        tabs=tabs,
        kind=kind,
        gone=gone,
    )


@bp.post("/workbench/favourites")
@policy("favourite", "keep")
def keep() -> ResponseReturnValue:
    """Keep a thing or let it go, and go back to where the person was."""
    kind, number = request.form.get("kind", ""), request.form.get("subject_id", "")
    if kind not in presenters.scopes() or not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise NotFound("no such thing")
    subject_id, now = int(number), clock.now()
    with transaction():
        if request.form.get("act") == "drop":
            services.let_go(kind, subject_id, by=acting())
            said = gettext("已取消收藏")
        else:
            document = services.keep(kind, subject_id, by=acting(), now=now)
            said = gettext("已收藏“%(title)s”", title=document.title)
    flash(said, "success")
    return redirect(own_path(request.form.get("next", "")) or url_for("search.favourites"))


@bp.post("/workbench/favourites/forget")
@policy("favourite", "keep")
def forget_gone() -> ResponseReturnValue:
    with transaction():
        gone = services.forget_gone(by=acting())
    flash(gettext("已清理 %(count)s 项", count=gone), "success")
    return redirect(url_for("search.favourites"))
