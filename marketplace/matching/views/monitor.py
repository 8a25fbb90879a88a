"""The operator's monitor of runs, queue and dead work."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.kernel import clock, outbox
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.pagination import page_number, paginate
from marketplace.matching import presenters, queries, services
from marketplace.matching.views.blueprint import bp


@bp.get("/monitor")
@policy("match", "monitor")
def monitor() -> ResponseReturnValue:
    """Runs with their ages, the queue, and dead work; titles only for whoever may read shortlists."""
    actor = acting()
    now = clock.now()
    epoch = queries.find_newest_epoch()
    reads = actor.is_operator or actor.is_auditor
    return render_template(
        "matching/monitor.html",
        figures=queries.get_figures(now=now),
        epoch=epoch,
        dictionary=queries.get_dictionary_version(epoch.id) if epoch else "",
        queue=outbox.queue_state(now=now),
        dead=paginate(outbox.select_dead(), page=1, per_page=50),
        bulk=queries.list_running_bulk(),
        overdue=outbox.list_overdue(now=now),
        runs=queries.page_runs(page=page_number(request.args.get("page"))) if reads else None,
        now=now,
        kinds=presenters.WORK,
    )


# Digits that fit a key of the database.
LONGEST_ID = 18


@bp.post("/monitor/retry")
@policy("match", "retry")
def retry() -> ResponseReturnValue:
    numbers = (value for value in request.form.getlist("id") if value.isascii() and value.isdigit())
    ids = [int(value) for value in numbers if len(value) <= LONGEST_ID][:500]
    with transaction():
        count = services.retry_dead_work(ids, by=acting(), now=clock.now())
    flash(_("已重新安排 %(count)s 项", count=count), "success" if count else "warning")
    return redirect(url_for(".monitor"))
