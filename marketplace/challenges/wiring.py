"""How this feature is wired into the application."""

from flask import Flask

from marketplace.attachments import owners
from marketplace.challenges import (
    codes,
    exporting,
    files,
    findable,
    holdings,
    permissions,  # noqa: F401 - names the audiences
    presenters,
    queries,
)
from marketplace.challenges.collected import ChallengeImporter
from marketplace.challenges.importing import ChallengeTarget
from marketplace.challenges.rules import ChallengeDraft
from marketplace.challenges.views import bp
from marketplace.exchange import exports, importers, targets
from marketplace.exchange.entries import EntryKind
from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, MEMBER, OPERATOR, one_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register_all
from marketplace.organisations import holdings as keepers
from marketplace.postings import revisions
from marketplace.search import sources
from marketplace.taxonomy import uses

DECISIONS = {
    "challenge.approve": N_("榜单已发布"),
    "challenge.return": N_("榜单被退回修改"),
    "challenge.withdraw": N_("榜单已撤回"),
    "challenge.extend": N_("揭榜期已延长"),
    "challenge.close_early": N_("揭榜将提前截止"),
}


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    keepers.register(holdings.KEEPER)
    sources.register(findable.SOURCE)
    uses.register(codes.USE)
    register_all(Group.WORK, {"challenge.submit": N_("榜单待审核")})
    register_all(Group.BINDING, DECISIONS)
    owners.register(files.OWNER, files.RULE)
    revisions.register(
        revisions.Revisable(
            kind="challenge",
            find=queries.get_challenge,
            draft=ChallengeDraft,
            rows=presenters.revision_rows,
            endpoint="challenges.show",
        )
    )
    importers.register(EntryKind.CHALLENGE, ChallengeImporter())
    targets.register(ChallengeTarget())
    for exported in exporting.lists():
        exports.register(exported)
    navigation.add_public(N_("揭榜大厅"), "challenges.hall", 10)
    navigation.add_workbench(N_("发榜"), N_("我的榜单"), "challenges.own", MEMBER, 20, count=_count_own_work)
    navigation.add_workbench(
        N_("审核"),
        N_("榜单审核"),
        "challenges.review_queue",
        one_of(OPERATOR, AUDITOR),
        20,
        count=_count_to_review,
    )


def _count_own_work(actor: Actor) -> int:
    """Only what waits for this person: returned drafts, for those who may mend them."""
    return queries.count_returned(actor.organisation_id) if actor.is_editor else 0


def _count_to_review(actor: Actor) -> int:
    return queries.count_submitted() if actor.is_operator else 0
