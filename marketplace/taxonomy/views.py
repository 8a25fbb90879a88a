"""The page that lists the codes in use, each with its version and its source."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from marketplace.kernel.access import policy
from marketplace.taxonomy import queries
from marketplace.taxonomy.models import Scheme

bp = Blueprint("taxonomy", __name__)


@bp.get("/taxonomy")
@policy("taxonomy", "list")
def list_clusters() -> ResponseReturnValue:
    tiers = [
        (tier, queries.list_nodes(Scheme.CLUSTER, parent=tier.code))
        for tier in queries.list_nodes(Scheme.CLUSTER, parent="")
    ]
    return render_template(
        "taxonomy/list.html",
        tiers=tiers,
        trl=queries.list_nodes(Scheme.TRL),
        cooperation=queries.list_nodes(Scheme.COOPERATION),
    )
