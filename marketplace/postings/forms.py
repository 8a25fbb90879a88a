"""The sub-form of indicators: any number of rows, added and removed by plain submit buttons.

A row keeps what was typed until it can be read, so that a mistake loses nothing. Not here: whether what
was read is good enough (`rules`), and the rest of a feature's form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from werkzeug.datastructures import MultiDict

from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier, decimal_text, parse_decimal
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in
from marketplace.postings.rules import LONGEST

# `second` is the upper bound of a range, or the centre of a ±.
COLUMNS = (
    "mark", "name", "comparator", "value", "second", "unit", "condition", "method", "verifier", "weight",
)  # fmt: skip
TYPED = ("name", "value", "second", "unit", "condition", "method", "weight")
PROSE = {
    "name": N_("名称"),
    "value": N_("数值"),
    "unit": N_("计量单位"),
    "condition": N_("试验条件"),
    "method": N_("试验方法"),
}
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One row as typed."""

    mark: str = Mark.PLAIN.value
    name: str = ""
    comparator: str = Comparator.GE.value
    value: str = ""
    second: str = ""
    unit: str = ""
    condition: str = ""
    method: str = ""
    verifier: str = ""
    weight: str = ""

    @property
    def is_blank(self) -> bool:
        return not any(getattr(self, column).strip() for column in TYPED)

    @classmethod
    def showing(cls, indicator: Indicator) -> Self:
        second = indicator.value_to if indicator.comparator is Comparator.RANGE else indicator.nominal
        return cls(
            mark=indicator.mark.value,
            name=indicator.name,
            comparator=indicator.comparator.value,
            value=indicator.text_value or _typed(indicator.value),
            second=_typed(second),
            unit=indicator.unit,
            condition=indicator.condition,
            method=indicator.method,
            verifier=indicator.verifier.value if indicator.verifier else "",
            weight=str(indicator.weight) if indicator.weight else "",
        )


def _typed(value: Decimal | None) -> str:
    if value is None:
        return ""
    plain = value.normalize()
    return decimal_text(plain if plain else Decimal(0)).replace("−", "-")


@dataclass(slots=True)
class IndicatorRows:
    """The sub-form: `rows` as typed, and after `read()` the indicators and what was wrong with them.

    `prefix` is the field's name in the form and in obstacles: "indicators.2.value" stands at the input
    `indicators-2-value`.
    """

    prefix: str = "indicators"
    rows: list[IndicatorRow] = field(default_factory=list)

    @classmethod
    def showing(cls, indicators: Iterable[Indicator], prefix: str = "indicators") -> Self:
        return cls(prefix, [IndicatorRow.showing(indicator) for indicator in indicators])

    @classmethod
    def from_form(cls, form: MultiDict[str, str], prefix: str = "indicators") -> Self:
        """Read the rows in the order of their numbers, whatever numbers the browser sent."""
        numbers = set()
        for key in form:
            if key.startswith(f"{prefix}-") and key.count("-") >= 2:
                number = key[len(prefix) + 1 :].partition("-")[0]
                if number.isascii() and number.isdigit() and len(number) <= 4:
                    numbers.add(int(number))
        rows = [
            IndicatorRow(
                **{
                    column: form[f"{prefix}-{number}-{column}"].strip()
                    for column in COLUMNS
                    if f"{prefix}-{number}-{column}" in form
                }
            )
            for number in sorted(numbers)[:MOST_ROWS]
        ]
        return cls(prefix, rows)

    def pressed(self, form: MultiDict[str, str]) -> bool:
        """Do what an add or remove button asked for; False where none was pressed.

        The buttons are `name="add" value="indicators"` and `name="remove" value="indicators-2"`.
        """
        if form.get("add") == self.prefix:
            if len(self.rows) < MOST_ROWS:
                self.rows.append(IndicatorRow())
            return True
        name, _, number = form.get("remove", "").rpartition("-")
        if name == self.prefix and number.isascii() and number.isdigit() and len(number) <= 4:
            if int(number) < len(self.rows):
                del self.rows[int(number)]
            return True
        return False

    def read(self) -> tuple[list[Indicator], list[Obstacle]]:
        """The indicators, and an obstacle at each input that cannot be read. Blank rows are left out."""
        self.rows = [row for row in self.rows if not row.is_blank]
        indicators, obstacles = [], []
        for i, row in enumerate(self.rows):
            reader = _RowReader(row, f"{self.prefix}.{i}", i + 1)
            indicators.append(reader.read())
            obstacles.extend(reader.obstacles)
        return indicators, obstacles

    def hidden_fields(self) -> list[tuple[str, str]]:
        """The rows as (name, value) pairs, to send them along unseen."""
        return [
            (f"{self.prefix}-{i}-{column}", getattr(row, column))
            for i, row in enumerate(self.rows)
            for column in COLUMNS
        ]

    def padded(self, least: int = 3) -> Self:
        """Blank rows added, so that an empty form shows where to begin."""
        missing = max(0, least - len(self.rows))
        return type(self)(self.prefix, [*self.rows, *(IndicatorRow() for _ in range(missing))])


class _RowReader:
    def __init__(self, row: IndicatorRow, place: str, number: int) -> None:
        self.row, self.place, self.number = row, place, number
        self.obstacles: list[Obstacle] = []

    def _object(self, column: str, message: str) -> None:
        self.obstacles.append(Obstacle(f"{self.place}.{column}", message, {"n": self.number}))

    def _number(self, column: str) -> Decimal | None:
        text = getattr(self.row, column)
        if not text:
            return None
        try:
            return parse_decimal(text)
        except ValueError:
            self._object(column, N_("第 %(n)s 项：须为数字，例如 28 或 -40"))
            return None

    def _choice(self, column: str, kind: Any, default: Any) -> Any:
        text = getattr(self.row, column)
        try:
            return kind(text) if text else default
        except ValueError:
            self._object(column, N_("第 %(n)s 项：请从列表中选择"))
            return default

    def _weight(self) -> int:
        text = self.row.weight.rstrip("%％").strip()
        if not text:
            return 0
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
            self._object("weight", N_("第 %(n)s 项：权重须为 0 到 100 的整数"))
            return 0
        return int(text)

    def read(self) -> Indicator:
        row = self.row
        for column, label in PROSE.items():
            self.obstacles += obstacles_in(
                getattr(row, column),
                field=f"{self.place}.{column}",
                label=label,
                limit=LONGEST.get(column, LONGEST["text_value"]),
            )
        comparator: Comparator = self._choice("comparator", Comparator, Comparator.GE)
        text_value, value = "", None
        if comparator is Comparator.EQ and not _is_number(row.value):
            text_value = row.value  # a grade such as ASIL D or IP67
        else:
            value = self._number("value")
        second = self._number("second")
        if second is not None and comparator not in (Comparator.RANGE, Comparator.PM):
            self._object("second", N_("第 %(n)s 项：只有“区间”和“±”才填第二个数值"))
            second = None
        return Indicator(
            name=row.name,
            comparator=comparator,
            value=value,
            value_to=second if comparator is Comparator.RANGE else None,
            nominal=second if comparator is Comparator.PM else None,
            text_value=text_value,
            unit="" if text_value else row.unit,
            condition=row.condition,
            method=row.method,
            verifier=self._choice("verifier", Verifier, None),
            weight=self._weight(),
            mark=self._choice("mark", Mark, Mark.PLAIN),
        )


def _is_number(text: str) -> bool:
    try:
        parse_decimal(text)
    except ValueError:
        return False
    return True


def indicators_text(indicators: Sequence[Indicator]) -> str:
    """One line an indicator, to be read beside another version of the same list."""
    return "\n".join(
        " ".join(
            part
            for part in (
                indicator.mark.symbol,
                indicator.name,
                indicator.requirement_text(),
                indicator.condition,
                indicator.method,
                f"{indicator.weight}%" if indicator.weight else "",
            )
            if part
        )
        for indicator in indicators
    )
