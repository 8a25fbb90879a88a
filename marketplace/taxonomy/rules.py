"""What a scheme is held to, and how two versions of it differ. Plain Python: nodes come in, changes go out.

A version is the whole scheme: a code that a new version no longer names has ended. Not here: reading and
writing CSV (`sheets`), and what is stored (`services`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in

LONGEST = {"code": 20, "name": 80, "source": 300}
# How many levels of nodes each scheme has; the lowest is what things attach to.
DEPTHS = {"cluster": 2, "chain": 3, "region": 2, "gbt4754": 2, "unit": 2, "trl": 1, "cooperation": 1}
# Those that a maintainer changes; the others are read by the program itself and change with it.
EDITABLE = ("cluster", "chain", "gbt4754", "region")
# Of these the program reads digits and letters: a child's code begins with its parent's.
PREFIXED = ("cluster", "gbt4754")
STAGES = {"upstream": N_("上游"), "midstream": N_("中游"), "downstream": N_("下游")}
FIELDS = ("name", "parent_code", "stage", "confirmed", "source")
MOVES = frozenset({"parent_code", "stage", "order"})
MOST_HOPS = 20


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """One node as a version has it."""

    code: str
    name: str
    parent_code: str | None = None
    stage: str | None = None
    confirmed: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell; `row` counts the lines of the file from 1, 0 is the file itself."""

    row: int
    column: str
    value: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, read."""

    row: int
    node: NodeFacts
    ended: bool = False
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One node that differs: the fields that changed, with what they were and what they are."""

    node: NodeFacts
    fields: tuple[tuple[str, Any, Any], ...]

    @property
    def is_move(self) -> bool:
        return any(name in MOVES for name, _before, _after in self.fields)


@dataclass(frozen=True, slots=True)
class Ending:
    node: NodeFacts
    successor: str | None
    used: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """How one state of a scheme becomes another."""

    added: tuple[NodeFacts, ...] = ()
    changed: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    ended: tuple[Ending, ...] = ()
    blocked: tuple[Ending, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "moved": len(self.moved),
            "ended": len(self.ended),
        }

    @property
    def is_empty(self) -> bool:
        return not (any(self.counts.values()) or self.blocked)


def difference(
    before: Mapping[str, NodeFacts],
    after: Sequence[NodeFacts],
    *,
    successors: Mapping[str, str] | None = None,
    used: Mapping[str, int] | None = None,
    ordered: bool = False,
) -> Difference:
    """From `before` to `after`. What is `used` and ends without a successor is blocked, not ended.

    `ordered`: the order of children under one parent means something, as it does in a chain.
    """
    successors, used = successors or {}, used or {}
    now = {node.code: node for node in after}
    shifted = _shifted(before.values(), after) if ordered else frozenset()
    changes = [
        Change(node, fields)
        for node in after
        if node.code in before and (fields := _fields(before[node.code], node, node.code in shifted))
    ]
    endings = [
        Ending(node, successors.get(code), used.get(code, 0))
        for code, node in before.items()
        if code not in now
    ]
    return Difference(
        added=tuple(node for node in after if node.code not in before),
        changed=tuple(change for change in changes if not change.is_move),
        moved=tuple(change for change in changes if change.is_move),
        ended=tuple(one for one in endings if one.successor or not one.used),
        blocked=tuple(one for one in endings if one.used and not one.successor),
    )


def _fields(before: NodeFacts, after: NodeFacts, shifted: bool) -> tuple[tuple[str, Any, Any], ...]:
    found = [
        (name, getattr(before, name), getattr(after, name))
        for name in FIELDS
        if getattr(before, name) != getattr(after, name)
    ]
    return (*found, *([("order", None, None)] if shifted else ()))


def _shifted(before: Iterable[NodeFacts], after: Iterable[NodeFacts]) -> frozenset[str]:
    """The children that stand elsewhere among the siblings that both states know."""

    def by_parent(nodes: Iterable[NodeFacts]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for node in nodes:
            found.setdefault(node.parent_code or "", []).append(node.code)
        return found

    was, now = by_parent(before), by_parent(after)
    moved: set[str] = set()
    for parent, children in now.items():
        common = set(children) & set(was.get(parent, ()))
        pairs = zip(
            (c for c in was.get(parent, ()) if c in common), (c for c in children if c in common), strict=True
        )
        moved.update(new for old, new in pairs if old != new)
    return frozenset(moved)


# --- what a state must keep to ----------------------------------------------------------------------------


def faults(scheme: str, lines: Sequence[Line]) -> list[Fault]:
    """Everything that is wrong with a version as it stands in a file, by line and column."""
    standing: dict[str, Line] = {}
    found: list[Fault] = []
    for line in lines:
        found += _cell_faults(scheme, line)
        if line.ended:
            continue
        if line.node.code in standing:
            first = standing[line.node.code].row
            found.append(
                Fault(line.row, "code", line.node.code, N_("代码重复，已见于第 %(row)s 行"), {"row": first})
            )
        else:
            standing[line.node.code] = line
    for line in standing.values():
        found += _place_faults(scheme, line, standing)
    for line in lines:
        if line.ended:
            found += _ending_faults(line, standing)
    if not standing:
        found.append(Fault(0, "", "", N_("文件里没有任何有效的节点")))
    return sorted(found, key=lambda fault: fault.row)


def _cell_faults(scheme: str, line: Line) -> Iterator[Fault]:
    node = line.node
    for column, longest in LONGEST.items():
        text = getattr(node, column)
        for obstacle in obstacles_in(text, field=column, label=column, limit=longest):
            yield Fault(line.row, column, text[:60], obstacle.message, obstacle.params)
        if not text and not (line.ended and column == "source"):
            yield Fault(line.row, column, "", N_("不能为空"))
    if any(c.isspace() for c in node.code) or node.code in (".", "..") or node.code.startswith("/"):
        yield Fault(line.row, "code", node.code[:60], N_("代码里不能有空格，也不能以斜线或句点为代码"))
    if scheme == "region" and not (node.code.isascii() and node.code.isdigit() and len(node.code) == 6):
        yield Fault(line.row, "code", node.code[:60], N_("行政区划代码须为 6 位数字"))


def _place_faults(scheme: str, line: Line, standing: Mapping[str, Line]) -> Iterator[Fault]:
    node, depth = line.node, DEPTHS[scheme]
    parent = node.parent_code
    if parent is not None and parent not in standing:
        yield Fault(line.row, "parent", parent[:60], N_("上级代码不在本文件的有效节点中"))
        return
    level = level_of(node.code, {code: one.node for code, one in standing.items()})
    if level == 0:
        yield Fault(line.row, "parent", parent or "", N_("上级关系绕成了圈"))
        return
    if level > depth:
        yield Fault(line.row, "parent", parent or "", N_("这套分类最多 %(limit)s 级"), {"limit": depth})
    if scheme in PREFIXED and parent is not None and not node.code.startswith(parent):
        yield Fault(line.row, "code", node.code, N_("代码须以上级代码 %(parent)s 开头"), {"parent": parent})
    if scheme != "chain":
        if node.stage:
            yield Fault(line.row, "stage", node.stage, N_("只有产业链的环节才填上游、中游或下游"))
    elif level == depth and node.stage is None:
        yield Fault(line.row, "stage", "", N_("产业链的环节须填上游、中游或下游"))
    elif level < depth and node.stage is not None:
        yield Fault(line.row, "stage", node.stage, N_("只有产业链的环节才填上游、中游或下游"))


def _ending_faults(line: Line, standing: Mapping[str, Line]) -> Iterator[Fault]:
    code, successor = line.node.code, line.successor
    if code in standing:
        yield Fault(
            line.row, "code", code, N_("同一代码既在用又停用，见第 %(row)s 行"), {"row": standing[code].row}
        )
    if successor is not None and successor not in standing:
        yield Fault(line.row, "successor", successor[:60], N_("继任代码不在本文件的有效节点中"))


def level_of(code: str, nodes: Mapping[str, NodeFacts]) -> int:
    """1 for a topmost node, 0 where the parents lead in a circle."""
    level, at = 1, nodes[code].parent_code
    while at is not None and at in nodes:
        level += 1
        if level > MOST_HOPS:
            return 0
        at = nodes[at].parent_code
    return level
