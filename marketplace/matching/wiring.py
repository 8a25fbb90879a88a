"""How this feature is wired into the application."""

import os
from pathlib import Path

from flask import Flask

from marketplace.exchange import exports
from marketplace.kernel import invariants, navigation, outbox
from marketplace.kernel.access import AUDITOR, MEMBER, OPERATOR, PLATFORM, one_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.matching import (
    checks,
    exporting,
    panels,
    permissions,  # noqa: F401 - names the audiences
    settings,
)
from marketplace.matching.cli import match_cli
from marketplace.matching.views import bp
from marketplace.search import sources as found


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    if not os.access(Path(__file__).parent / "engine", os.W_OK):
        # Compiled loops are kept beside the code, or here where the code cannot be written.
        os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(app.config["INSTANCE_DIR"]) / "numba"))
    app.register_blueprint(bp)
    app.cli.add_command(match_cli)
    panels.register()
    found.read_with(lambda: settings.dictionary_in_force()[1])
    for exported in exporting.lists():
        exports.register(exported)
    navigation.add_workbench(N_("匹配"), N_("适合我的榜单与需求"), "matching.fits", MEMBER, 15)
    navigation.add_workbench(N_("监测"), N_("匹配监测"), "matching.monitor", PLATFORM, 60, count=_count_dead)
    navigation.add_workbench(
        N_("监测"), N_("匹配参数与词典"), "matching.settings_list", one_of(OPERATOR, AUDITOR), 62
    )
    for invariant in checks.INVARIANTS:
        invariants.register(invariant)


def _count_dead(actor: Actor) -> int:
    """Only for those who can do something about it."""
    return outbox.queue_state().dead if actor.is_operator or actor.is_maintainer else 0
