"""Reading import files line by line, with every error named by line and field."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from marketplace.exchange.entries import CollectedEntry

LARGEST_FILE = 200 * 1024 * 1024
LONGEST_LINE = 256 * 1024


@dataclass(frozen=True, slots=True)
class LineError:
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"第 {self.line} 行 {self.field}：{self.message}"


@dataclass(slots=True)
class Reading:
    """A whole file, read: either all entries are good or `errors` says what is not."""

    file_name: str
    sha256: str
    entries: list[CollectedEntry] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)
    # Where each entry stands: id → number of its line.
    lines: dict[str, int] = field(default_factory=dict)


def read_jsonl(path: Path, *, tick: Callable[[int], None] = lambda bytes_read: None) -> Reading:
    """Read one JSON object per line (UTF-8, with or without BOM). Blank lines are passed over."""
    digest = hashlib.sha256()
    reading = Reading(file_name=path.name, sha256="")
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            digest.update(raw)
            tick(len(raw))
            entry = _read_line(raw, number, reading.errors)
            if entry is None:
                continue
            if entry.id in reading.lines:
                message = f"编号 {entry.id} 与第 {reading.lines[entry.id]} 行重复"
                reading.errors.append(LineError(number, "id", message))
                continue
            reading.lines[entry.id] = number
            reading.entries.append(entry)
    reading.sha256 = digest.hexdigest()
    return reading


def _read_line(raw: bytes, number: int, errors: list[LineError]) -> CollectedEntry | None:
    if len(raw) > LONGEST_LINE:
        errors.append(LineError(number, "整行", f"超过 {LONGEST_LINE // 1024} KB"))
        return None
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        errors.append(LineError(number, "整行", "不是 UTF-8 编码"))
        return None
    if not text:
        return None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        errors.append(LineError(number, "整行", f"不是有效的 JSON：{error}"))
        return None
    if not isinstance(value, dict):
        errors.append(LineError(number, "整行", "应为一个 JSON 对象"))
        return None
    try:
        return CollectedEntry.model_validate(value)
    except ValidationError as error:
        errors.extend(
            LineError(number, ".".join(map(str, e["loc"])) or "整行", in_chinese(e)) for e in error.errors()
        )
        return None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} 不是 JSON 数值")


def in_chinese(error: Any) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "缺少此字段"
        case "extra_forbidden":
            return "不认识的字段"
        case "string_too_long":
            return f"最多 {context['max_length']} 字"
        case "string_too_short":
            return f"至少 {context['min_length']} 字"
        case "enum":
            return f"应为 {context['expected']} 之一"
        case "string_type":
            return "应为文本"
        case "value_error":
            return str(context["error"])
        case _:
            return str(error["msg"])
