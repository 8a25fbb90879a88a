"""How this feature is wired into the application."""

from flask import Flask

from marketplace.attachments import owners
from marketplace.capabilities import (
    codes,
    entering,  # noqa: F401 - adds routes
    exporting,
    files,
    findable,
    holdings,
    permissions,  # noqa: F401 - names the audiences
    presenters,
    queries,
    services,
)
from marketplace.capabilities.collected import CapabilityImporter
from marketplace.capabilities.importing import CapabilityTarget
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.capabilities.views import bp
from marketplace.exchange import exports, importers, targets
from marketplace.exchange.entries import EntryKind
from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, MEMBER, OPERATOR, one_of
from marketplace.kernel.texts import N_
from marketplace.organisations import holdings as keepers
from marketplace.postings import lapses, revisions
from marketplace.search import sources
from marketplace.taxonomy import uses


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    importers.register(EntryKind.CAPABILITY, CapabilityImporter())
    targets.register(CapabilityTarget())
    for exported in exporting.lists():
        exports.register(exported)
    app.register_blueprint(bp)
    keepers.register(holdings.KEEPER)
    sources.register(findable.SOURCE)
    uses.register(codes.USE)
    owners.register(files.OWNER, files.RULE)
    revisions.register(
        revisions.Revisable(
            kind="capability",
            find=queries.get_capability,
            draft=CapabilityDraft,
            rows=presenters.revision_rows,
            endpoint="capabilities.show",
        )
    )
    lapses.register(
        lapses.Lapsing(
            kind="capability",
            label=N_("能力成果"),
            entity=Capability,
            published=CapabilityStatus.PUBLISHED,
            path=lambda capability: f"/capabilities/{capability.public_no}",
            follow=services.leave_shortlists,
        )
    )
    navigation.add_public(N_("能力成果"), "capabilities.hall", 40)
    navigation.add_workbench(
        N_("审核"),
        N_("能力成果复核"),
        "capabilities.review_queue",
        one_of(OPERATOR, AUDITOR),
        26,
        count=lambda actor: queries.count_to_review() if actor.is_operator else 0,
    )
    navigation.add_workbench(N_("供应链"), N_("我的能力成果"), "capabilities.own", MEMBER, 40)
