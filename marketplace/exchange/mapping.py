"""Which column of a file is which of ours: found by its heading, changed by people. Plain Python.

A mapping is one name for each column of the file, "" for one that is left aside; an amount's name carries
its unit, "budget:yuan". Not here: reading the cells.
"""

import hashlib
import re
from collections.abc import Sequence
from unicodedata import normalize

from marketplace.exchange.cells import printable, text_of
from marketplace.exchange.columns import Column
from marketplace.exchange.sheets import Row

LONGEST_HEADING = 80
_BRACKETS = re.compile(r"[（(\[【].*?[)）\]】]")
_NOISE = re.compile(r"[\s*＊:：_\-]+")


def heading_texts(cells: Sequence[object]) -> list[str]:
    return [printable(text_of(cell).replace("\n", " "), LONGEST_HEADING) for cell in cells]


def spelled(heading: str) -> str:
    return _NOISE.sub("", normalize("NFKC", heading)).casefold()


def digest_of(headings: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(spelled(h) for h in headings).encode("utf-8", "replace")).hexdigest()


def targets(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    """(name in a mapping, label, word of the unit) of everything that a column of a file may be."""
    made = []
    for column in columns:
        if column.units:
            made += [(f"{column.name}:{unit}", column.label, word) for unit, word in column.units.items()]
        else:
            made.append((column.name, column.label, ""))
    return made


def guess_mapping(headings: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Each of our columns is found once: by its own words first, then by what its heading contains."""
    names: dict[str, Column] = {}
    for column in columns:
        for word in (column.name, column.label, *column.synonyms):
            names.setdefault(spelled(word), column)
    taken: set[str] = set()
    mapping = [""] * len(headings)
    for reduce in (spelled, lambda heading: spelled(_BRACKETS.sub("", heading))):
        for place, heading in enumerate(headings):
            found = names.get(reduce(heading))
            if mapping[place] or found is None or found.name in taken:
                continue
            taken.add(found.name)
            mapping[place] = with_unit(found, heading)
    return mapping


def with_unit(column: Column, heading: str) -> str:
    """The column's name, with the unit that its heading names, or else its usual one."""
    if not column.units:
        return column.name
    usual = getattr(column.codec, "usual", "")
    named = [unit for unit, word in column.units.items() if word in heading]
    # 万元 contains 元: the longer word is the one that was meant.
    unit = max(named, key=lambda u: len(column.units[u]), default=usual)
    return f"{column.name}:{unit}"


def find_header_row(rows: Sequence[Row], columns: Sequence[Column]) -> int:
    """The row whose words are most like our headings; without any likeness the first."""
    if not rows:
        return 1

    def likeness(row: Row) -> int:
        return sum(bool(name) for name in guess_mapping(heading_texts(row[1]), columns))

    best = max(rows, key=lambda row: (likeness(row), -row[0]))
    return best[0] if likeness(best) else rows[0][0]


def is_valid(mapping: Sequence[str], columns: Sequence[Column], width: int) -> bool:
    """Whether every name is one of ours and none stands twice."""
    known = {name for name, _label, _unit in targets(columns)}
    used = [name.partition(":")[0] for name in mapping if name]
    return len(mapping) == width and set(filter(None, mapping)) <= known and len(used) == len(set(used))
