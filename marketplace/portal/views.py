"""The home page, the workbench and the help pages."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.announcements import queries as announcements
from marketplace.announcements.kinds import CATEGORY_LABELS
from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.capabilities.lifecycle import LIFECYCLE as CAPABILITY
from marketplace.challenges.lifecycle import LIFECYCLE as CHALLENGE
from marketplace.kernel import clock, locales
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.paths import own_path
from marketplace.matching import setting_presenters, settings
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.portal import diagrams, presenters, queries, workbenches

# Three, because the main navigation marks an entry on every page of its blueprint.
bp = Blueprint("portal", __name__)
workbench_bp = Blueprint("workbench", __name__)
help_bp = Blueprint("help", __name__)

DISPLAY, DISPLAY_MODES = "display", ("standard", "elder")
A_YEAR = 365 * 24 * 3600


@help_bp.get("/display")
@policy("portal", "display")
def display() -> ResponseReturnValue:
    """Remember in the browser how large this person wants the pages; nothing on the server changes."""
    mode = request.args.get("mode", "")
    response = make_response(redirect(own_path(request.args.get("next", "")) or url_for("portal.home")))
    if mode in DISPLAY_MODES:
        response.set_cookie(
            DISPLAY, mode, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response


@help_bp.get("/language")
@policy("portal", "language")
def language() -> ResponseReturnValue:
    """Remember in the browser which language its reader wants; nothing on the server changes."""
    locales.choose(request.args.get("to", ""))
    return redirect(own_path(request.args.get("next", "")) or url_for("portal.home"))


@help_bp.get("/guide")
@policy("portal", "read")
def guide() -> ResponseReturnValue:
    return render_template("portal/guide.html")


@help_bp.get("/guide/post")
@policy("portal", "read")
def guide_post() -> ResponseReturnValue:
    """怎样发榜, with the life of a challenge drawn from its table."""
    return render_template("portal/guide_post.html", diagram=diagrams.draw(CHALLENGE))


@help_bp.get("/guide/take")
@policy("portal", "read")
def guide_take() -> ResponseReturnValue:
    """怎样揭榜, with the life of a capability drawn from its table."""
    return render_template("portal/guide_take.html", diagram=diagrams.draw(CAPABILITY))


@help_bp.get("/accessibility")
@policy("portal", "read")
def accessibility() -> ResponseReturnValue:
    return render_template("portal/accessibility.html")


@help_bp.get("/site-map")
@policy("portal", "read")
def site_map() -> ResponseReturnValue:
    return render_template("portal/site_map.html")


@help_bp.get("/ranking-rules")
@policy("portal", "read")
def ranking_rules() -> ResponseReturnValue:
    """How ranking works: every number is that of the weights and the dictionary in force."""
    weights_id, weights = settings.weights_in_force()
    dictionary_id, dictionary = settings.dictionary_in_force()
    return render_template(
        "portal/ranking_rules.html",
        weights=weights,
        dictionary=dictionary,
        versions=[
            setting_presenters.history("weights", weights_id),
            setting_presenters.history("dictionary", dictionary_id),
        ],
        rules=setting_presenters.part_rules(weights),
        texts=setting_presenters.text_rules(weights),
        limits=setting_presenters.limit_rules(weights),
        marks=setting_presenters.mark_rules(weights),
        principles=presenters.PRINCIPLES,
        engine_version=ENGINE_VERSION,
    )


@bp.get("/")
@policy("portal", "read")
@kept_until_something_happens
def home() -> ResponseReturnValue:
    now = clock.now()
    standing = queries.get_standing(now)
    closing = [presenters.with_days(c, now=now) for c in queries.list_closing_challenges(now)]
    return render_template(
        "portal/home.html",
        this_week=presenters.is_this_week(closing),
        figures=presenters.home_figures(standing.figures),
        closing=closing,
        challenges=[presenters.with_days(c, now=now) for c in queries.list_latest_challenges(now)],
        moves=queries.list_moves(now),
        leaders=standing.leaders,
        flow=presenters.FLOW,
        announcements=announcements.list_newest(),
        categories=CATEGORY_LABELS,
    )


@workbench_bp.get("/workbench", endpoint="home")
@policy("portal", "workbench")
def workbench_home() -> ResponseReturnValue:
    """One address for everybody; what stands there depends on who works at it."""
    actor, now = acting(), clock.now()
    if actor.platform_role is not None:
        return render_template(
            "portal/workbench_platform.html", **workbenches.platform_workbench(actor, now=now)
        )
    if actor.organisation_id is None:
        return render_template("portal/workbench_newcomer.html")
    return render_template("portal/workbench.html", **workbenches.member_workbench(actor, now=now))
