"""How this feature is wired into the application."""

from flask import Flask

from marketplace.attachments import owners
from marketplace.exchange import exports, importers, targets
from marketplace.exchange.entries import EntryKind
from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, MEMBER, OPERATOR, one_of
from marketplace.kernel.texts import N_
from marketplace.needs import (
    codes,
    entering,  # noqa: F401 - adds routes
    exporting,
    files,
    findable,
    holdings,
    permissions,  # noqa: F401 - names the audiences
    presenters,
    queries,
)
from marketplace.needs.collected import NeedImporter
from marketplace.needs.importing import NeedTarget
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need
from marketplace.needs.rules import NeedDraft
from marketplace.needs.views import bp
from marketplace.organisations import holdings as keepers
from marketplace.postings import lapses, revisions
from marketplace.search import sources
from marketplace.taxonomy import uses


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    importers.register(EntryKind.SUPPLY_NEED, NeedImporter())
    targets.register(NeedTarget())
    for exported in exporting.lists():
        exports.register(exported)
    app.register_blueprint(bp)
    keepers.register(holdings.KEEPER)
    sources.register(findable.SOURCE)
    uses.register(codes.USE)
    owners.register(files.OWNER, files.RULE)
    revisions.register(
        revisions.Revisable(
            kind="need",
            find=queries.get_need,
            draft=NeedDraft,
            rows=presenters.revision_rows,
            endpoint="needs.show",
        )
    )
    lapses.register(
        lapses.Lapsing(
            kind="need",
            label=N_("需求"),
            entity=Need,
            published=NeedStatus.PUBLISHED,
            path=lambda need: f"/needs/{need.public_no}",
        )
    )
    navigation.add_public(N_("供需清单"), "needs.hall", 30)
    navigation.add_workbench(
        N_("审核"),
        N_("需求复核"),
        "needs.review_queue",
        one_of(OPERATOR, AUDITOR),
        24,
        count=lambda actor: queries.count_to_review() if actor.is_operator else 0,
    )
    navigation.add_workbench(N_("供应链"), N_("我的供需清单"), "needs.own", MEMBER, 30)
