"""Weights and dictionaries in words: what each number does, as public page and form say it.

Every number is read from the weights given, or asked of the engine itself; none is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from flask_babel import gettext

from marketplace.indicators.compare import Finding
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.verdicts import Verdict
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.language.dictionary import Dictionary
from marketplace.matching import settings
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.weights import MARK_NAMES, TextWeights, Weights
from marketplace.matching.explanations import PART_LABELS

MARKS = {"must": N_("★ 必达指标"), "key": N_("▲ 重要指标"), "plain": N_("一般指标")}
#: Number of the text's weighing → its name and what it does.
TEXT_NUMBERS = {
    "words": (N_("词"), N_("共有一个词算多少")),
    "bigrams": (N_("两字组"), N_("共有相邻的两个字算多少")),
    "characters": (N_("单字"), N_("共有一个字算多少")),
    "pairs": (N_("英文词对"), N_("共有相邻的两个英文词算多少")),
    "concepts": (N_("同义概念"), N_("以不同名称说同一件东西算多少；为 0 时不计")),
    "families": (N_("产品族"), N_("说的是同一族产品算多少；为 0 时不计")),
    "k1": (N_("重复饱和 k1"), N_("越小，重复同一个词越快不再加分")),
    "b": (N_("长度折扣 b"), N_("0 为不论长短，1 为完全按长度折算")),
    "title": (N_("能力标题"), N_("标题里的一个词抵正文里的几个")),
    "keywords": (N_("能力关键词"), N_("关键词里的一个词抵正文里的几个")),
    "body": (N_("能力正文"), N_("正文里的一个词的分量")),
    "asked_in_title": (N_("需求标题用语"), N_("需求标题和关键词里的词加重几倍")),
    "background": (N_("背景文档数"), N_("衡量一个词是否少见时另计的文档数")),
    "terms_asked": (N_("满分所需词数"), N_("说全需求中最重要的这么多词，文本即为完全相符")),
    "rarity": (N_("长文偏重少见词"), N_("需求越长，少见的词比常见的词多算多少")),
    "common": (N_("常见单字上限"), N_("超过这个比例的能力都写到的单字不计，0.5 即一半")),
}
#: Number of the score as a whole → its name and what it does.
LIMITS = {
    "full_support": (N_("其他分项足额的文本相符度"), N_("低于它时，文本以外的分项按比例计")),
    "least_agreement": (N_("列入名单的最低文本相符度"), N_("低于它时不列入名单")),
}
_DESIGNATIONS = {
    "champion": N_("单项冠军"),
    "little_giant": N_("专精特新小巨人"),
    "srdi": N_("专精特新"),
    "chain_master": N_("链主"),
    "leader": N_("领军企业"),
    "high_tech": N_("高新技术企业"),
}
PROBLEMS = {
    "too_many": N_("太多了：%(text)s 项，最多 %(most)s 项"),
    "length": N_("第 %(line)s 行“%(text)s”的长度不对，应为 2 至 40 个字"),
    "not_han": N_("第 %(line)s 行“%(text)s”不是纯汉字词"),
    "not_name": N_("第 %(line)s 行“%(text)s”含有不能用于名称的符号或多余空格"),
    "not_normal": N_("第 %(line)s 行“%(text)s”请写作“%(normal)s”"),
    "twice": N_("第 %(line)s 行“%(text)s”重复"),
    "one_member": N_("第 %(line)s 行“%(text)s”只有一个名称，同义组至少两个"),
    "too_many_members": N_("第 %(line)s 行的名称太多：%(text)s 个，最多 %(most)s 个"),
    "two_groups": N_("第 %(line)s 行“%(text)s”已在另一个同义组里"),
}


@dataclass(frozen=True, slots=True)
class PartRule:
    """One addend of the score: the most it can add and what earns it."""

    name: str
    label: str
    points: int
    text: str


@dataclass(frozen=True, slots=True)
class NumberRule:
    """One number of the weights: its name, its value, and what it does."""

    name: str
    label: str
    value: str
    text: str


def part_rules(weights: Weights) -> list[PartRule]:
    """Every part of the score in the order in which it is shown."""
    earned = _earned()
    return [
        PartRule(name, str(gettext(PART_LABELS[name])), points, str(gettext(_PARTS[name], **earned)))
        for name, points in weights.parts.items()
    ]


def text_rules(weights: Weights) -> list[NumberRule]:
    """Every number by which the text is weighed."""
    return [
        NumberRule(one.name, *_named(TEXT_NUMBERS, one.name, getattr(weights.text, one.name)))
        for one in fields(TextWeights)
    ]


def limit_rules(weights: Weights) -> list[NumberRule]:
    """Every further number of the score."""
    return [NumberRule(name, *_named(LIMITS, name, getattr(weights, name))) for name in further_numbers()]


def mark_rules(weights: Weights) -> list[NumberRule]:
    """How much an indicator of each mark counts where the seeker set no percentages."""
    return [NumberRule(name, str(gettext(MARKS[name])), str(weights.marks[name]), "") for name in MARK_NAMES]


def further_numbers() -> list[str]:
    """Names of the numbers of `Weights` that are neither parts nor marks nor text."""
    return [one.name for one in fields(Weights) if one.type in ("int", "float")]


def _named(words: Mapping[str, tuple[str, str]], name: str, value: float) -> tuple[str, str, str]:
    label, text = words.get(name, (name, ""))
    return (str(gettext(label)), f"{value:.12g}", str(gettext(text)) if text else "")


_PARTS = {
    "text": N_("双方文本共有的词、字和词组；越少见的术语贡献越大，重复出现递减，长文不因长而占便宜"),
    "title": N_("标题的相近程度；双方写明同一型号的计满分"),
    "indicators": N_(
        "逐项比对：满足计 %(met)s，部分满足计 %(partial)s，不满足计 %(unmet)s，未说明计 %(unstated)s；"
        "各项占比按发榜方权重，未设权重时按 ★▲ 级别"
    ),
    "taxonomy": N_("同一“33618”集群计 %(cluster)s，同一行业大类计 %(industry)s，同一集群层级计 %(tier)s"),
    "trl": N_("达到目标等级计 100%%，低一级计 %(one_short)s，低两级计 %(two_short)s；未写明不计分"),
    "region": N_("同区县计 %(district)s，同市计 %(city)s，同省计 %(province)s"),
    "cooperation": N_("至少有一种合作方式相同"),
    "designations": N_(
        "经核验且在有效期内的称号取最高一项（%(titles)s）；无称号但已核验的单位计 %(verified)s"
    ),
}


@cache
def _shares() -> dict[str, float]:
    """What the engine itself gives for each case, as shares of a part."""
    from marketplace.matching.engine import parts

    seeker = Matchable(Kind.NEED, 0, clusters=("A1",), industry="C36", trl_target=8, region="500112")
    empty = Matchable(Kind.CAPABILITY, 0)

    def offering(**facts: Any) -> Matchable:
        return Matchable(Kind.CAPABILITY, 0, **facts)

    found = {
        "cluster": parts.taxonomy_share(seeker, offering(clusters=("A1",))),
        "industry": parts.taxonomy_share(seeker, offering(industry="C36")),
        "tier": parts.taxonomy_share(seeker, offering(clusters=("A2",))),
        "one_short": parts.trl_share(seeker, offering(trl=7)),
        "two_short": parts.trl_share(seeker, offering(trl=6)),
        "district": parts.region_share(seeker, offering(region="500112")),
        "city": parts.region_share(seeker, offering(region="500101")),
        "province": parts.region_share(seeker, offering(region="509900")),
        "verified": parts.designations_share(offering(standing=Standing.VERIFIED)),
        "none": parts.designations_share(empty),
    }
    for code in _DESIGNATIONS:
        found[code] = parts.designations_share(offering(designations=(code,)))
    shares = {name: share.value for name, share in found.items()}
    indicator = Indicator("", Comparator.EQ)
    for verdict in Verdict:
        shares[verdict.value] = parts.Comparison(indicator, 1.0, Finding(verdict, "", "", "")).share
    return shares


@dataclass(frozen=True, slots=True)
class History:
    """What was ever in force of one kind, the latest first, and which of them is."""

    kind: str
    rows: Sequence[Any]
    in_force_id: int | None


def history(kind: settings.Kind, in_force_id: int | None) -> History:
    """The versions that were accepted, with their authors and reasons."""
    return History(kind, settings.list_history(kind), in_force_id)


def _earned() -> dict[str, str]:
    shares = {name: f"{value:.0%}" for name, value in _shares().items()}
    titles = listed(f"{gettext(label)} {shares[code]}" for code, label in _DESIGNATIONS.items())
    return {**shares, "titles": titles}


# --- what one version changes -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NumberChange:
    """One number that a proposal changes."""

    label: str
    before: str
    after: str


def weight_changes(before: Weights, after: Weights) -> list[NumberChange]:
    """Every number that differs."""
    changes = []
    for then, now in zip(_numbers(before), _numbers(after), strict=True):
        if then[1] != now[1]:
            changes.append(NumberChange(then[0], then[1], now[1]))
    return changes


def _numbers(weights: Weights) -> list[tuple[str, str]]:
    return [
        *((str(gettext(PART_LABELS[name])), str(points)) for name, points in weights.parts.items()),
        *((one.label, one.value) for one in mark_rules(weights)),
        *((one.label, one.value) for one in text_rules(weights)),
        *((one.label, one.value) for one in limit_rules(weights)),
    ]


@dataclass(frozen=True, slots=True)
class DictionaryChanges:
    """Words and groups of synonyms that come and go."""

    words_in: Sequence[str]
    words_out: Sequence[str]
    groups_in: Sequence[str]
    groups_out: Sequence[str]


def dictionary_changes(before: Dictionary, after: Dictionary) -> DictionaryChanges:
    """What differs between two dictionaries, in the order in which it stands there."""
    groups_before = [listed(group) for group in before.synonyms]
    groups_after = [listed(group) for group in after.synonyms]
    return DictionaryChanges(
        _beyond(after.words, before.words),
        _beyond(before.words, after.words),
        _beyond(groups_after, groups_before),
        _beyond(groups_before, groups_after),
    )


def _beyond(these: Sequence[str], those: Sequence[str]) -> list[str]:
    known = set(those)
    return [one for one in these if one not in known]
