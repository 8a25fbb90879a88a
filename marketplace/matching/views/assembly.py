"""The proposed consortium of a challenge: read for its owner, operator and auditor, and never stored.

Every wish stands in the address, so a proposal can be kept as a bookmark and works without scripts.
"""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import get_challenge
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.errors import NotFound, Obstacle
from marketplace.kernel.texts import N_
from marketplace.matching import assembly_presenters, consortium, queries
from marketplace.matching.consortium import Wishes
from marketplace.matching.models import MatchRun, PostingKind
from marketplace.matching.views.blueprint import bp

# Digits that fit a key of the database.
_LONGEST_ID = 18
#: A panel waits for less than a page does, and looks for no alternatives.
_SECONDS_FOR_A_PANEL = 1.0


@bp.get("/challenges/<public_no>/consortium")
@policy("match", "read")
def proposed_consortium(public_no: str) -> ResponseReturnValue:
    """The best consortium under the wishes in the address, and everything that says why."""
    challenge, run = _readable(public_no)
    wishes, wrong = _wishes(request.args)
    wrong += consortium.obstacles(challenge, wishes)
    shared: dict[str, Any] = {
        "challenge": challenge,
        "run": run,
        "wishes": wishes,
        "limit": consortium.most_partners(challenge),
        "required_names": assembly_presenters.REQUIRED_NAMES,
        "grade_names": assembly_presenters.grade_names(),
    }
    if run is None or wrong:
        page = render_template("matching/assembly.html", **shared, wrong=wrong, data=None)
        return page, 400 if wrong else 200
    pool = consortium.read_pool(run)
    data = assembly_presenters.data_of(consortium.propose(challenge, pool, wishes))
    return render_template(
        "matching/assembly.html",
        **shared,
        wrong=[],
        data=data,
        asked={one["key"]: one for one in data["asked"]},
        names={id: pool.organisations[id].name for id in sorted(pool.organisations)},
        address=lambda **changes: _address(public_no, wishes, **changes),
    )


@bp.get("/challenges/<public_no>/consortium/panel")
@policy("match", "read")
def consortium_panel(public_no: str) -> ResponseReturnValue:
    """What the challenge's page shows of it, as a fragment."""
    challenge, run = _readable(public_no)
    data = None
    if run is not None:
        found = consortium.propose(
            challenge,
            consortium.read_pool(run),
            Wishes(),
            alternatives=0,
            explain=False,
            seconds=_SECONDS_FOR_A_PANEL,
        )
        data = assembly_presenters.data_of(found)
    return render_template(
        "matching/assembly_panel.html", challenge=challenge, loaded=True, data=data,
        asked={one["key"]: one for one in data["asked"]} if data else {},
    )  # fmt: skip


def _readable(public_no: str) -> tuple[Challenge, MatchRun | None]:
    """The challenge and its newest run, for whoever may read its whole shortlist; raises NotFound."""
    actor = acting()
    challenge = get_challenge(public_no, viewer=actor)
    if not queries.may_read(challenge, actor):
        raise NotFound(public_no)
    return challenge, queries.find_run(PostingKind.CHALLENGE, challenge.id)


def _wishes(arguments: MultiDict[str, str]) -> tuple[Wishes, list[Obstacle]]:
    """What is wished for, and what of it cannot be read. Fields of a form left empty say nothing."""
    wrong: list[Obstacle] = []

    def numbers(name: str, message: str) -> tuple[int, ...]:
        typed = dict.fromkeys(value.strip() for value in arguments.getlist(name) if value.strip())
        bad = [
            value
            for value in typed
            if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID)
        ]
        if bad:
            wrong.append(Obstacle(name, message, {"value": bad[0][:20]}))
        return tuple(int(value) for value in typed if value not in bad)

    partners = numbers("partners", N_("成员数须是数字：%(value)s"))
    wishes = Wishes(
        partners[0] if partners else None,
        numbers("pin", N_("指定的单位须用编号指明：%(value)s")),
        numbers("exclude", N_("排除的单位须用编号指明：%(value)s")),
        tuple(dict.fromkeys(filter(None, arguments.getlist("need")))),
    )
    return wishes, wrong


def _address(
    public_no: str,
    wishes: Wishes,
    *,
    pin: int | None = None,
    unpin: int | None = None,
    exclude: int | None = None,
    admit: int | None = None,
) -> str:
    """This page with one more or one less organisation pinned or excluded; nobody stays both."""
    pinned = [id for id in wishes.pinned if id not in (unpin, exclude)] + ([pin] if pin else [])
    excluded = [id for id in wishes.excluded if id not in (admit, pin)] + ([exclude] if exclude else [])
    return url_for(
        ".proposed_consortium",
        public_no=public_no,
        partners=wishes.partners,
        pin=list(dict.fromkeys(pinned)),
        exclude=list(dict.fromkeys(excluded)),
        need=list(wishes.required),
    )
