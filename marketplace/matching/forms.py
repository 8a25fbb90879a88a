"""Typing weights and dictionaries: every number within its limits, every line of a list told where it fails.

The fields are those of `engine.weights`, so a number that is added there is on the form. Not here: whether
a proposal may be made (`settings`).
"""

# mypy: disable-error-code="misc"

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from flask_babel import lazy_gettext as _l

from marketplace.kernel.errors import Obstacle
from marketplace.kernel.forms import Form, Integer, LongText, Number, Text
from marketplace.kernel.texts import N_
from marketplace.language import normalise
from marketplace.language.dictionary import (
    GROUPS_AT_MOST,
    MEMBERS_AT_MOST,
    VERSION_AT_MOST,
    WORDS_AT_MOST,
    Dictionary,
    find_problems,
)
from marketplace.matching.engine.weights import (
    MARK_NAMES,
    PART_NAMES,
    TextWeights,
    Weights,
    text_limits,
)
from marketplace.matching.explanations import PART_LABELS
from marketplace.matching.setting_presenters import LIMITS, MARKS, PROBLEMS, TEXT_NUMBERS, further_numbers
from marketplace.matching.settings import REASON_AT_MOST

_PROBLEMS_TOLD = 20
_LIST_LIMIT = 60_000
_MOST = {
    ("words", "too_many"): WORDS_AT_MOST,
    ("synonyms", "too_many"): GROUPS_AT_MOST,
    ("synonyms", "too_many_members"): MEMBERS_AT_MOST,
}
_BETWEEN = re.compile(r"\s*[、=＝]\s*")


class ProposalForm(Form):
    """What every proposal says of itself."""

    version = Text(
        _l("版本号"),
        limit=VERSION_AT_MOST,
        required=True,
        description=_l("没有用过的编号，例如 P-2026.2；采用之后每次匹配都记下它"),
    )
    reason = LongText(
        _l("理由"),
        limit=REASON_AT_MOST,
        rows=3,
        required=True,
        description=_l("为什么要改，凭什么相信改了更好；与作者一并公开"),
    )


def _number(label: str, kind: str, limits: tuple[float, float], hint: str = "") -> Any:
    least, most = (Decimal(repr(limit)) for limit in limits)
    description = _l(hint) if hint else ""
    if kind == "int":
        return Integer(_l(label), least=int(least), most=int(most), required=True, description=description)
    return Number(_l(label), least=least, most=most, required=True, description=description)


def _fields() -> dict[str, Any]:
    made: dict[str, Any] = {
        f"part_{name}": _number(PART_LABELS[name], "int", (0, 100)) for name in PART_NAMES
    }
    made |= {f"mark_{name}": _number(MARKS[name], "int", (0, 100)) for name in MARK_NAMES}
    for one in fields(TextWeights):
        label, hint = TEXT_NUMBERS.get(one.name, (one.name, ""))
        made[f"text_{one.name}"] = _number(label, str(one.type), text_limits(one.name), hint)
    for name in further_numbers():
        label, hint = LIMITS.get(name, (name, ""))
        made[f"limit_{name}"] = _number(label, "float", (0.0, 1.0), hint)
    return made


_WeightFields: Any = type("_WeightFields", (ProposalForm,), _fields())


class WeightsForm(_WeightFields):
    """The numbers of a score."""

    @classmethod
    def beginning_with(cls, weights: Weights, *, typed: Any) -> "WeightsForm":
        """The form with the numbers of `weights`, or with what was typed."""
        data = weights.to_dict()
        values = {f"part_{name}": value for name, value in data["parts"].items()}
        values |= {f"mark_{name}": value for name, value in data["marks"].items()}
        values |= {f"text_{name}": value for name, value in data["text"].items()}
        values |= {f"limit_{name}": data[name] for name in further_numbers()}
        shown = {name: str(value) if isinstance(value, float) else value for name, value in values.items()}
        return cls(formdata=typed, data=shown)

    def group(self, prefix: str) -> list[Any]:
        """The fields of one kind, in order."""
        return [field for field in self if field.name.startswith(prefix)]

    def weights(self) -> tuple[Weights | None, list[Obstacle]]:
        """The weights that were typed, or everything that keeps them from being some."""
        typed = {name: field.data for name, field in self._fields.items()}
        parts = {name: typed[f"part_{name}"] for name in PART_NAMES}
        marks = {name: typed[f"mark_{name}"] for name in MARK_NAMES}
        found = []
        if sum(parts.values()) != 100:
            message = N_("各分项上限之和须为 100，现为 %(sum)s")
            found.append(Obstacle(f"part_{PART_NAMES[0]}", message, {"sum": sum(parts.values())}))
        if not any(marks.values()):
            found.append(Obstacle(f"mark_{MARK_NAMES[0]}", N_("至少一级指标的占比大于 0")))
        further = {name: float(typed[f"limit_{name}"]) for name in further_numbers()}
        if not 0 < further["least_agreement"] <= further["full_support"]:
            message = N_("列入名单的最低相符度须大于 0，且不高于其他分项足额的相符度")
            found.append(Obstacle("limit_least_agreement", message))
        if found:
            return None, found
        numbers: dict[str, Any] = {
            one.name: typed[f"text_{one.name}"] if one.type == "int" else float(typed[f"text_{one.name}"])
            for one in fields(TextWeights)
        }
        try:
            weights = Weights(
                version=typed["version"],
                parts=MappingProxyType(parts),
                marks=MappingProxyType(marks),
                text=TextWeights(**numbers),
                **further,
            )
        except ValueError as error:
            return None, [Obstacle("", N_("这组参数不能用：%(why)s"), {"why": str(error)})]
        return weights, []


class DictionaryForm(ProposalForm):
    """The lists of a dictionary, as text."""

    words = LongText(
        _l("整词"),
        limit=_LIST_LIMIT,
        rows=12,
        description=_l("每行一个，纯汉字；切词时保持为一个词，其中的短词照样可以匹配"),
    )
    synonyms = LongText(
        _l("同义词"),
        limit=_LIST_LIMIT,
        rows=12,
        description=_l("每行一组，用“、”或“=”隔开，第一个为规范名称；一个名称只能在一组里"),
    )

    @classmethod
    def beginning_with(cls, dictionary: Dictionary, *, typed: Any) -> "DictionaryForm":
        """The form with the lists of `dictionary`, or with what was typed."""
        lists = {
            "words": "\n".join(dictionary.words),
            "synonyms": "\n".join("、".join(group) for group in dictionary.synonyms),
        }
        return cls(formdata=typed, data=lists)

    def dictionary(self) -> tuple[Dictionary | None, list[Obstacle]]:
        """The dictionary that was typed, or everything that keeps it from being one."""
        words = _lines(self.words.data)
        groups = [(line, _BETWEEN.split(text)) for line, text in _lines(self.synonyms.data)]
        problems = find_problems([text for _, text in words], [names for _, names in groups])
        if not problems:
            synonyms = tuple(tuple(names) for _, names in groups)
            return Dictionary(self.version.data, tuple(text for _, text in words), synonyms), []
        places = {"words": [line for line, _ in words], "synonyms": [line for line, _ in groups]}
        told = [
            Obstacle(
                one.part,
                PROBLEMS[one.code],
                {
                    "line": places[one.part][one.line - 1] if one.line else 0,
                    "text": one.text,
                    "normal": normalise(one.text),
                    "most": _MOST.get((one.part, one.code), 0),
                },
            )
            for one in problems[:_PROBLEMS_TOLD]
        ]
        if len(problems) > _PROBLEMS_TOLD:
            message = N_("另有 %(count)s 处类似的问题")
            told.append(Obstacle(problems[-1].part, message, {"count": len(problems) - _PROBLEMS_TOLD}))
        return None, told


def _lines(text: str) -> Sequence[tuple[int, str]]:
    """The lines that say something, with their numbers as a person counts them."""
    numbered: Iterable[tuple[int, str]] = enumerate(text.split("\n"), start=1)
    return [(number, line.strip()) for number, line in numbered if line.strip()]
