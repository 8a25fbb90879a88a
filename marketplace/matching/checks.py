"""What must hold of runs and shortlists at any moment."""

from marketplace.kernel.invariants import Invariant
from marketplace.matching.queries import list_broken_places, list_wrong_sums
from marketplace.matching.sweeps import list_forgotten

INVARIANTS = (
    Invariant("match.ranked", "every public version is ranked or has its work pending", list_forgotten),
    Invariant("match.parts", "stored parts add up to stored scores", lambda _now: list_wrong_sums()),
    Invariant(
        "match.places",
        "places of a current shortlist count 1, 2, 3 … in the order of scores",
        lambda _now: list_broken_places(),
    ),
)
