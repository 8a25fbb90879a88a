"""What would bring a place further, in words, with exact gains: changes, the way to better places, warnings.

Gains are the engine's, kept with the run; places are those of the list as it stands now; here they are only
compared. A supplier is told of its own line only: what each change would add to its own score, and how far
up all of them together lead, in steps that say little of others (docs/adr/0009). Not here: where the
points come from (`explanations`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from marketplace.kernel.dates import business_date, last_business_day
from marketplace.matching.engine.weights import MICRO
from marketplace.matching.models import MatchEntry
from marketplace.matching.queries import Line
from marketplace.matching.shown import MARKS, counts, known_name, millionths, tenths, tenths_of, title_name
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

_MOST_NAMED = 8
_GOALS = (3, 1)
#: How far up a supplier is told that it could come.
BANDS = (3, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Change:
    """What would raise the score, and by how much; `effort` 0 is a fact that only has to be said."""

    text: str
    gain: int  # millionths
    effort: int
    points_in_tenths: int  # the gain as it is shown: that of a loss which it makes good as that loss is shown

    @property
    def points(self) -> float:
        return self.points_in_tenths / 10


@dataclass(frozen=True, slots=True)
class Goal:
    """A better place, how far away it is, and the fewest changes that lead there, easiest first.

    `changes` are empty where all of them together fall short.
    """

    place: int
    gap: float  # between the scores as they are shown
    changes: list[Change]
    score: float  # with these changes, or with all there are


@dataclass(frozen=True, slots=True)
class Board:
    """The places of a shortlist as they stand now: (place, score in millionths, capability id), and lines."""

    scores: Sequence[tuple[int, int, int]]
    lines: Sequence[Line] = ()


def _(message: str, **values: Any) -> str:
    return str(gettext(message, **values))


def list_changes(
    line: Line, indicators: Sequence[Mapping[str, Any]], *, now: datetime, own: bool
) -> list[Change]:
    """Everything that would raise the score, what is easiest first, then by gain."""
    reasons = line.entry.reasons
    title = _title_change(line, reasons, now=now)
    found = [] if title is None else [title]
    for one in reasons["advice"]:
        # Runs of an earlier program kept no gains, and two changes of one part do not add up.
        if "gain" not in one or (title is not None and one["code"] == "verify"):
            continue
        gain, facts = millionths(one["gain"]), one["facts"]
        shown_gain = tenths(gain)
        if "place" in facts:
            stored, shown = reasons["indicators"][facts["place"]], indicators[facts["place"]]
            if abs(millionths(stored["maximum"]) - millionths(stored["points"]) - gain) <= 2:
                shown_gain = round(shown["maximum"] * 10) - round(shown["points"] * 10)
        text = _change_text(one["code"], facts, own=own)
        found.append(Change(text, gain, _effort(one["code"]), shown_gain))
    return sorted(found, key=lambda change: (change.effort, -change.gain, -change.points_in_tenths))


def _effort(code: str) -> int:
    if code in ("cooperation.widen", "verify"):
        return 1
    return 2 if code in ("trl.raise", "indicator.reach") else 0


def _change_text(code: str, facts: Mapping[str, Any], *, own: bool) -> str:
    if code in ("indicator.state", "indicator.reach"):
        mark, name, asked = MARKS[facts["mark"]], facts["name"], facts["requirement"]
        if code == "indicator.reach":
            now = _("，现为 %(offered)s", offered=facts["offered"]) if facts["offered"] else ""
            return _("%(mark)s%(name)s达到 %(asked)s%(now)s", mark=mark, name=name, asked=asked, now=now)
        if own:
            return _("写明%(mark)s%(name)s（如达到 %(asked)s）", mark=mark, name=name, asked=asked)
        return _("问明%(mark)s%(name)s（如达到 %(asked)s）", mark=mark, name=name, asked=asked)
    if code == "trl.state":
        return _("注明技术成熟度（如达到 TRL %(to)s）", to=facts["to"])
    if code == "trl.raise":
        return _("技术成熟度升到 TRL %(to)s", to=facts["to"])
    if code == "cluster.state":
        names = _("或").join(taxonomy.cluster_names(facts["clusters"]))
        return _("注明产业集群（如属%(names)s）", names=names)
    if code == "industry.state":
        name = known_name(Scheme.INDUSTRY, facts["industry"]) or facts["industry"]
        return _("注明所属行业（如属%(name)s）", name=name)
    if code == "region.state":
        return _("注明所在地（如在%(name)s）", name=taxonomy.region_name(facts["region"]))
    if code.startswith("cooperation."):
        names = _("或").join(map(taxonomy.cooperation_name, facts["forms"]))
        if code == "cooperation.widen":
            return _("也接受%(names)s", names=names)
        return _("注明合作方式（如接受%(names)s）", names=names)
    return _("单位通过核验")


def _title_change(line: Line, reasons: Mapping[str, Any], *, now: datetime) -> Change | None:
    """The declared title that would add most once it is confirmed, or renewed, by the operator."""
    worth, today = reasons.get("titles", {}), business_date(now)
    has = millionths(line.entry.parts["designations"])
    found = None
    for row in line.organisation.designations:
        gain = millionths(worth.get(row.kind.value, 0)) - has
        if gain > 0 and not counts(row, today) and (found is None or gain > found.gain):
            name = title_name(row.kind.value)
            expired = row.valid_to is not None and row.valid_to < today
            text = _("更新%(name)s证书并经核对", name=name) if expired else _("%(name)s证书经核对", name=name)
            found = Change(text, gain, 1, tenths(gain))
    return found


def list_warnings(line: Line, reasons: Mapping[str, Any], seeker: Mapping[str, Any]) -> list[str]:
    """Titles that count today and run out before the call closes, with what that would cost."""
    worth, held = reasons.get("titles"), reasons.get("facts", {}).get("designations", {}).get("held", [])
    if not worth or not held or not seeker.get("valid_until"):
        return []
    closes = last_business_day(datetime.fromisoformat(seeker["valid_until"]))
    days = {row.kind.value: row.valid_to for row in line.organisation.designations}
    ending = {code: day for code in held if (day := days.get(code)) is not None and day < closes}
    left = max((worth.get(code, 0) for code in held if code not in ending), default=worth[""])
    cost = millionths(line.entry.parts["designations"]) - millionths(left)
    if cost <= 0:
        return []
    return [
        _(
            "%(name)s证书 %(day)s 到期，早于截止日 %(closes)s；不续期将少 %(points)s 分",
            name=title_name(code),
            day=day.isoformat(),
            closes=closes.isoformat(),
            points=tenths(cost) / 10,
        )
        for code, day in ending.items()
    ]


def list_goals(entry: MatchEntry, changes: Sequence[Change], board: Board) -> Iterator[Goal]:
    """The next place and the places 3 and 1, as far as they are better."""
    others = {place: (score, id) for place, score, id in board.scores}
    wanted = sorted({entry.place - 1, *_GOALS}, reverse=True)
    for place in wanted:
        if place in others and place < entry.place:
            yield _goal(entry, changes, place, *others[place])


def _goal(entry: MatchEntry, changes: Sequence[Change], place: int, score: int, id: int) -> Goal:
    now, shown = millionths(entry.score), tenths_of(entry.score)
    gap = tenths_of(score / MICRO) - shown
    chosen = fewest(changes, score - now, gap, wins_ties=entry.capability_id < id)
    reached = shown + sum(change.points_in_tenths for change in (chosen or changes))
    return Goal(place, gap / 10, chosen, reached / 10)


def fewest(changes: Sequence[Change], gap: int, shown_gap: int, *, wins_ties: bool) -> list[Change]:
    """The fewest changes, easiest first, that close a gap of so many millionths; [] if all fall short.

    One change that is enough goes first; else the greatest of the easy ones are taken until it is enough,
    in truth and in tenths as shown. Gains within one part add up to a millionth each, so that much is
    taken off before anything is promised.
    """

    def is_enough(some: Sequence[Change]) -> bool:
        sure = sum(change.gain for change in some) - len(some)
        enough = sure >= gap if wins_ties else sure > gap
        return enough and sum(change.points_in_tenths for change in some) >= shown_gap

    for change in changes:
        if is_enough([change]):
            return [change]
    taken: list[Change] = []
    for change in changes:
        taken.append(change)
        if is_enough(taken):
            break
    else:
        return []
    for change in sorted(taken, key=lambda one: one.gain):
        without = [one for one in taken if one is not change]
        if is_enough(without):
            taken = without
    return taken


def band_of(entry: MatchEntry, changes: Sequence[Change], board: Board) -> int:
    """Among how many first places all changes together lead, coarsely; 0 where that is no step up."""
    reached = millionths(entry.score) + sum(change.gain for change in changes)
    ahead = sum((-score, id) < (-reached, entry.capability_id) for _place, score, id in board.scores)
    ahead -= (-millionths(entry.score), entry.capability_id) < (-reached, entry.capability_id)
    band = next((band for band in BANDS if ahead + 1 <= band), 0)
    return band if band < entry.place else 0


def list_complements(entry: MatchEntry, lines: Sequence[Line]) -> list[str]:
    """Who else on the list meets what this one does not: of each the best place."""
    gaps = [one for one in entry.reasons["indicators"] if one["verdict"] != "met"]
    filled: dict[int, list[str]] = {}
    for gap in sorted(gaps, key=lambda one: list(MARKS).index(one["mark"])):
        place = next((i for i, line in enumerate(lines) if _meets(line, entry, gap["name"])), None)
        if place is not None:
            filled.setdefault(place, []).append(MARKS[gap["mark"]] + gap["name"])
    return [
        _(
            "第 %(place)s 名“%(title)s”满足%(names)s",
            place=lines[place].entry.place,
            title=lines[place].capability.title,
            names="、".join(names),
        )
        for place, names in filled.items()
    ][:_MOST_NAMED]


def _meets(line: Line, entry: MatchEntry, name: str) -> bool:
    return line.entry.capability_id != entry.capability_id and any(
        one["name"] == name and one["verdict"] == "met" for one in line.entry.reasons["indicators"]
    )
