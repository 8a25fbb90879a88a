"""How search is wired into the application."""

from flask import Flask, request
from werkzeug.wrappers import Response

from marketplace.kernel import invariants, navigation
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.invariants import Invariant
from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register_all
from marketplace.search import (
    index,
    organisations,
    panels,
    permissions,  # noqa: F401 - names the audiences
    sources,
    tally,
    throttle,
)
from marketplace.search.cli import search_cli
from marketplace.search.services import LETTER
from marketplace.search.sweeps import list_unmended
from marketplace.search.views import bp, write_tally_after_changes


def wire(app: Flask) -> None:
    """Register what this feature offers."""
    sources.register(organisations.SOURCE)
    index.watch()
    throttle.prepare(app)
    tally.prepare(app)
    app.register_blueprint(bp)
    register_all(Group.SEARCH, {LETTER: N_("保存的检索有新结果")})
    app.cli.add_command(search_cli)
    app.after_request(_after_request)
    panels.register_panels()
    navigation.add_workbench(N_("总览"), N_("我的收藏"), "search.favourites", SIGNED_IN, 6)
    navigation.add_workbench(N_("总览"), N_("我的检索"), "search.saved", SIGNED_IN, 7)
    invariants.register(
        Invariant(
            "search.documents",
            "every public thing is found as it stands, or has its work pending",
            list_unmended,
        )
    )


def _after_request(response: Response) -> Response:
    if request.method == "POST":
        write_tally_after_changes()
    return response
