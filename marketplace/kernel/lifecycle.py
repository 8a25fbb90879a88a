"""One table per life: the statuses of a thing, the moves between them, and who may make each.

The guard, the buttons, the 步骤条, the audit type, `docs/lifecycles.md` and the grid test read the table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from marketplace.kernel.errors import Forbidden, InvalidTransition
from marketplace.kernel.party import Party


@dataclass(frozen=True, slots=True)
class Transition:
    """One move. `label` is the button's gettext source; `reason` says that a reason is owed."""

    action: str
    sources: tuple[StrEnum, ...]
    target: StrEnum
    by: frozenset[Party]
    label: str
    reason: bool = False
    danger: bool = False


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    BAD = "bad"
    TODO = "todo"


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: StepState


class Lifecycle:
    """The whole life of one kind of thing.

    `path` names the statuses that a good life passes in order, with their labels: the 步骤条.
    A status off the path (returned, withdrawn) marks the step it hangs on, named in `detours`, as bad.
    """

    def __init__(
        self,
        thing: str,
        statuses: type[StrEnum],
        *transitions: Transition,
        initial: tuple[StrEnum, ...],
        labels: dict[StrEnum, str],
        path: tuple[StrEnum, ...],
        detours: dict[StrEnum, StrEnum] | None = None,
    ) -> None:
        self.thing = thing
        self.statuses = statuses
        self.transitions = transitions
        self.initial = initial
        self.labels = labels
        self.path = path
        self.detours = detours or {}
        self.actions = tuple(dict.fromkeys(t.action for t in transitions))

    def audit_type(self, action: str) -> str:
        return f"{self.thing}.{action}"

    def label(self, status: str) -> str:
        return self.labels[self.statuses(status)]

    def find(self, status: str, action: str) -> Transition | None:
        return next((t for t in self.transitions if t.action == action and status in t.sources), None)

    def advance(self, status: str, action: str, *, by: Iterable[Party]) -> StrEnum:
        """The status after `action`.

        Raises InvalidTransition where the table has no such move and Forbidden where it is not theirs.
        """
        transition = self.find(status, action)
        if transition is None:
            raise InvalidTransition(self.thing, status, action)
        if not transition.by.intersection(by):
            raise Forbidden(f"{self.thing}.{action}")
        return transition.target

    def open_to(self, status: str, parties: Iterable[Party]) -> list[Transition]:
        """The moves that these parties may make now: the buttons."""
        parties = frozenset(parties)
        return [t for t in self.transitions if status in t.sources and t.by & parties]

    def steps(self, status: str) -> list[Step]:
        """The 步骤条 as seen from `status`."""
        here = self.statuses(status)
        at = self.detours.get(here, here)
        if at not in self.path:
            return []
        position = self.path.index(at)
        current = StepState.BAD if here in self.detours else StepState.CURRENT
        return [
            Step(
                self.labels[s],
                StepState.DONE if i < position else current if i == position else StepState.TODO,
            )
            for i, s in enumerate(self.path)
        ]

    def mermaid(self) -> str:
        """The table drawn as a state diagram, for the generated docs."""
        lines = ["stateDiagram-v2", *(f"    [*] --> {s}" for s in self.initial)]
        lines += [
            f"    {source} --> {t.target}: {t.action} ({', '.join(sorted(t.by))})"
            for t in self.transitions
            for source in t.sources
        ]
        return "\n".join(lines)
