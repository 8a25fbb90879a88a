"""The page of a posting's versions: when it changed, and for whom it concerns, what."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.postings import differences, revisions
from marketplace.postings.models import PostingRevision, RevisionAudience
from marketplace.postings.presenters import REVISION_ACTS

bp = Blueprint("postings", __name__)


@bp.get("/versions/<kind>/<public_no>")
@policy("posting", "versions")
def versions(kind: str, public_no: str) -> ResponseReturnValue:
    """Whoever may read the posting reads when it changed; its owner and the platform read what changed."""
    revisable, actor = revisions.kind_named(kind), acting()
    posting = revisable.find(public_no, viewer=actor)
    audience = revisions.audience_of(actor, posting.organisation_id)
    found = revisions.list_revisions(kind, posting.id, audience=audience)
    may_compare = audience is not RevisionAudience.PUBLIC
    pair = _pair(found) if may_compare else None
    return render_template(
        "postings/versions.html",
        posting=posting,
        url=url_for(revisable.endpoint, public_no=public_no),
        revisions=found,
        acts=REVISION_ACTS,
        may_compare=may_compare,
        pair=pair,
        fields=_compared(revisable, *pair) if pair else [],
        everything="all" in request.args,
    )


def _pair(found: list[PostingRevision]) -> tuple[PostingRevision, PostingRevision] | None:
    """The two that were asked for, the earlier first; else the last two."""
    if len(found) < 2:
        return None
    by_number = {str(one.number): one for one in found}
    earlier = by_number.get(request.args.get("from", ""), found[1])
    later = by_number.get(request.args.get("to", ""), found[0])
    if earlier.number == later.number:
        return None
    return (earlier, later) if earlier.number < later.number else (later, earlier)


def _compared(
    revisable: revisions.Revisable, earlier: PostingRevision, later: PostingRevision
) -> list[differences.FieldDifference]:
    before, after = (
        revisable.rows(revisions.unpacked(revisable.draft, one.content)) for one in (earlier, later)
    )
    return differences.compare(before, after)
