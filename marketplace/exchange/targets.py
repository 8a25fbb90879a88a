"""What a file may be imported as. The features register themselves; exchange knows none of them.

A target says which columns a file has, how the things of the database look in those columns, what a row is
held to, and as which rows of which tables it will be stored. It does not insert anything itself: what is
stored is laid out beforehand and taken over by `applying` in one act.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, false, true

from marketplace.exchange.columns import Column
from marketplace.exchange.containers import MOST_ROWS
from marketplace.exchange.models import StagedImport
from marketplace.kernel.access import Audience
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Obstacle

Values = dict[str, Any]
# The columns by which a row is recognised.
NUMBER, EXTERNAL = "public_no", "external_no"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a file stands for."""

    organisation_id: int | None = None
    scope_id: int | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """Rows that hang on the thing: `name` in what is stored, their table, its reference, their columns."""

    name: str
    model: Any
    parent: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class Standing:
    """A thing that stands in the database already, in the columns of the import."""

    id: int
    version: int
    public_no: str
    title: str
    values: Values
    # What the rules are asked for: a published thing must stay fit to be published.
    published: bool = False
    # Why a row may not change it; a gettext source.
    closed: str = ""
    # Why a row does not change it, and is no fault either; a gettext source.
    left_alone: str = ""


@dataclass(slots=True)
class Stored:
    """Columns of the thing's own row, and rows of its children by name; plain Python values."""

    row: Values
    children: dict[str, list[Values]] = field(default_factory=dict)


class Target(ABC):
    kind: ClassVar[str]
    label: ClassVar[str]
    # What the page says of it in a sentence.
    purpose: ClassVar[str]
    audience: ClassVar[Audience]
    columns: ClassVar[tuple[Column, ...]]
    model: ClassVar[Any]
    children: ClassVar[tuple[Child, ...]] = ()
    # The series of public numbers, and how many digits they have.
    prefix: ClassVar[str] = ""
    width: ClassVar[int] = 4
    # The column that names a thing when it has no number.
    title: ClassVar[str] = "title"
    # The column with the number by which a thing is known here, and whether we give that number.
    number: ClassVar[str] = NUMBER
    numbers_are_ours: ClassVar[bool] = True
    # Whether a file is the whole list, so that what it leaves out is shown, and may be withdrawn.
    is_whole_list: ClassVar[bool] = True
    most_rows: ClassVar[int] = MOST_ROWS
    order: ClassVar[int] = 50

    def may_start(self, actor: Actor) -> bool:
        return self.audience.admits(actor)

    def scopes(self, actor: Actor) -> Sequence[tuple[int, str]]:
        """The lists of the actor that a file may be for, as (id, name); none where there is no choice."""
        return ()

    @abstractmethod
    def scope_of(self, scope: Scope) -> ColumnElement[bool]:
        """The rows that the file stands for."""

    @abstractmethod
    def blank(self) -> Values:
        """A new thing before anything is read into it."""

    @abstractmethod
    def find(
        self, scope: Scope, *, numbers: Sequence[str], ids: Sequence[int], titles: Sequence[str]
    ) -> list[Standing]:
        """The things of the scope with these numbers, ids or titles."""

    @abstractmethod
    def obstacles(self, values: Values, *, published: bool, now: datetime) -> Iterator[Obstacle]:
        """What keeps a row from being stored; of a published thing, also from staying published."""

    @abstractmethod
    def stored(self, values: Values) -> Stored:
        """As what the values will be stored."""

    @abstractmethod
    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        """The columns of a new row that do not come from the file."""

    def title_key(self, title: str) -> str:
        """The title as `same_title` compares it."""
        return title

    def same_title(self, key: Any) -> ColumnElement[bool]:
        """Whether a thing has the title of a staged row; what a row without a number is recognised by."""
        condition: ColumnElement[bool] = getattr(self.model, self.title) == key
        return condition

    def same_number(self, number: Any) -> ColumnElement[bool]:
        """Whether a thing has the number of a staged row, where it is not we who give that number."""
        return false()

    def still(self, *, public: bool) -> ColumnElement[bool]:
        """Whether a thing is yet what its preview took it for: public, or changed without telling anybody."""
        return true()

    def just_inserted(self, key: Any, number: Any) -> ColumnElement[bool]:
        """How a row just inserted is found again: by its public number, or else by its title."""
        condition: ColumnElement[bool] = self.model.public_no == number
        return condition

    def withdraw(self, ids: Sequence[int], *, by: Actor, now: datetime) -> int:
        """Withdraw what the file no longer has, inside the transaction of the import; how many."""
        raise NotImplementedError

    def take_over(self, staged: StagedImport, *, by: Actor, now: datetime) -> int | None:
        """Take the rows in by an act of its own; None where `applying` is to do it."""
        return None

    def revise(
        self, thing_id: int, scope: Scope, changes: Sequence[Sequence[str]], *, by: Actor, now: datetime
    ) -> None:
        """Change what everybody sees, by the act that a person would use."""
        raise NotImplementedError

    def asked_for(  # noqa: B027 - most targets ask for nothing
        self, ids: Sequence[int], *, import_id: int, now: datetime
    ) -> None:
        """Put together the work that the revisions of `ids` asked for."""


_targets: dict[str, Target] = {}


def register(target: Target) -> None:
    _targets[target.kind] = target


def target_for(kind: str) -> Target:
    """Raises KeyError for a kind that nobody has registered."""
    return _targets[kind]


def targets_for(actor: Actor) -> list[Target]:
    """What this person may import, in order."""
    return sorted(
        (target for target in _targets.values() if target.may_start(actor)),
        key=lambda target: (target.order, target.kind),
    )


def all_targets() -> Mapping[str, Target]:
    return _targets
