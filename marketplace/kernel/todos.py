"""What waits for somebody on the workbench, as lines that features add without the workbench knowing them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from marketplace.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Todo:
    """`days` is None where there is no deadline. Texts are in the reader's language already."""

    days: int | None
    title: str
    text: str
    url: str
    label: str


Source = Callable[[Actor, datetime], Iterable[Todo]]

_sources: list[Source] = []


def register(source: Source) -> None:
    if source not in _sources:
        _sources.append(source)


def list_todos(actor: Actor, now: datetime) -> list[Todo]:
    """Everything that features have for an actor, what is due first."""
    found = [todo for source in _sources for todo in source(actor, now)]
    return sorted(found, key=lambda todo: (todo.days is None, todo.days or 0))
