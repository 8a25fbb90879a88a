"""What changed between two shortlists of one challenge or need, and why."""

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.errors import NotFound
from marketplace.matching import diff_presenters, queries
from marketplace.matching.diff import diff
from marketplace.matching.models import PostingKind
from marketplace.matching.views.blueprint import bp


@bp.get("/runs/<run_no>/diff/<other_no>")
@policy("match", "read")
def run_diff(run_no: str, other_no: str) -> ResponseReturnValue:
    """For whoever may read the whole list; runs of different seekers are refused with a sentence."""
    before, after = queries.get_run(run_no), queries.get_run(other_no)
    actor = acting()
    seekers = [queries.get_seeker(run.seeker_kind, run.seeker_id) for run in (before, after)]
    if not all(queries.may_read(seeker, actor) for seeker in seekers):
        raise NotFound(run_no)
    found = diff(before, after)
    capabilities = queries.read_capabilities(queries.ids_of(found))
    return render_template(
        "matching/diff.html",
        seeker=seekers[0],
        kind="challenges" if before.seeker_kind is PostingKind.CHALLENGE else "needs",
        before=before,
        after=after,
        found=found,
        causes=diff_presenters.causes_in_words(found.causes, capabilities),
        lines=diff_presenters.lines_in_words(found, capabilities),
    )
