"""What a challenge asks to be covered, and what of it the capabilities on its shortlist prove or speak of.

An indicator is covered by a comparison that is met. One that is met in part counts in part. Where nothing
comparable is stated a text counts that speaks of it, as a mention and no more; a stated value that misses the
indicator covers nothing. A challenge with few indicators or none is asked by its weightiest words instead:
they are covered by mentions alone. Plain Python over documents; not here: who is asked (`consortium`) and
which consortium is best (`engine.assembly`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

from marketplace.language import normalise, sentences, spans, words
from marketplace.language.dictionary import DEFAULT_DICTIONARY
from marketplace.matching.engine.consortia import Grade
from marketplace.matching.engine.documents import Matchable

#: A sentence speaks of an indicator if it says this share of the name's words, weighed by how rare they are.
SPOKEN_SHARE = 0.6
#: Mentions count only in capabilities whose text agrees with the challenge at least half as well as the best
#: one's: a word in a text about something else is no offer.
RELATED_SHARE = 0.5
#: With fewer indicators than this the challenge's own words are asked too.
FEW_INDICATORS = 3
MOST_TOPICS = 8
#: Shares of the whole weight: indicators are worth four times the words that stand beside them.
_WEIGHT, _WEIGHT_BESIDE = 1000, 250
_IN_TITLE = 3.0
_REPEATED_AT_MOST = 3
_QUOTE_AT_MOST = 120
_SENTENCES_AT_MOST = 400
_LONG_WORD = 4
_OFTEN, _TOGETHER = 3, 0.8
# Words of any technical text: they say nothing of what is asked.
_COMMON = """
    技术 关键 关键技术 核心 研究 研制 应用 开发 研发 系统 设计 产品 问题 需求 项目 提升 提高 实现 目标 能力
    解决 方案 要求 指标 采用 进行 以及 主要 目前 现有 国内 国外 攻关 突破 瓶颈 难题 工作 相关 领域 市场 企业
    公司 提供 使用 具有 需要 可以 当前 近年 近年来 如何 通过 基于 同时 由于 以上 以下 其他
"""
_OF_ANY_TEXT = frozenset(_COMMON.split())

#: A mark as the marketplace writes it: ★ must, ▲ key, · plain; topics have none.
NO_MARK = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """An indicator, or a word of the challenge where there is a `term`, with what it weighs."""

    key: str
    name: str
    requirement: str
    mark: str
    weight: int
    term: str = ""  # of a topic: the word as texts are searched for it; `name` is how the challenge writes it

    @property
    def is_topic(self) -> bool:
        """Whether it is a word of the challenge and no indicator."""
        return bool(self.term)

    @property
    def must(self) -> bool:
        """Whether it is a ★ indicator."""
        return self.mark == "must"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a comparison of an indicator found: its verdict and the words it rests on."""

    verdict: str
    quote: str = ""
    offered: str = ""
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A capability on the shortlist: what the engine saw, how far it agrees, a finding for each indicator."""

    document: Matchable
    agreement: float
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a capability says to something asked; `grade` is NONE for a stated value that misses it."""

    grade: Grade
    verdict: str  # of a comparison, or "text"
    quote: str
    offered: str = ""
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    plain: str  # the text in one spelling
    terms: frozenset[str]


def gather(
    seeker: Matchable, listed: Sequence[Listed], marks: Mapping[str, int]
) -> tuple[list[Asked], list[dict[str, Proof]]]:
    """What is to be covered, and for each listed capability what it says to it, by key; silence is left out.

    To be covered are the seeker's indicators, and its weightiest words where those are few. Indicators weigh
    what the seeker gave them, else by `marks`; words by how rare they are on the list.
    """
    read = [_read(one.document) for one in listed]
    rarity = _rarity(read)
    asked = _asked(seeker, rarity, marks)
    wanted = {one.key: _wanted(one, rarity) for one in asked}
    least = RELATED_SHARE * max((one.agreement for one in listed), default=0.0)
    found = []
    for one, text in zip(listed, read, strict=True):
        proofs = dict(_compared(asked, one.findings))
        if one.agreement >= least:
            for what in asked:
                if what.key not in proofs and (quote := _mention(text, wanted[what.key])):
                    proofs[what.key] = Proof(Grade.TEXT, "text", quote)
        found.append(proofs)
    return asked, found


def _asked(seeker: Matchable, rarity: Callable[[str], float], marks: Mapping[str, int]) -> list[Asked]:
    indicators = seeker.indicators
    stated = [indicator.weight for indicator in indicators]
    counted = stated if sum(stated) > 0 else [marks[indicator.mark.value] for indicator in indicators]
    weights = _in_proportion(counted, _WEIGHT)
    asked = [
        Asked(f"i{place}", one.name, one.requirement_text(), one.mark.value, weight)
        for place, (one, weight) in enumerate(zip(indicators, weights, strict=True))
    ]
    if len(indicators) < FEW_INDICATORS:
        topics = _topics(seeker, rarity)
        weights = _in_proportion([worth for _, worth in topics], _WEIGHT_BESIDE if indicators else _WEIGHT)
        asked += [
            Asked(f"t{place}", _as_written(seeker, word), "", NO_MARK, weight, word)
            for place, ((word, _), weight) in enumerate(zip(topics, weights, strict=True))
        ]
    return asked


def _in_proportion(values: Sequence[float], total: int) -> list[int]:
    """Whole weights that add up to about `total`; none is nothing."""
    whole = sum(values)
    return [max(1, round(total * value / whole)) if whole else 1 for value in values]


def _compared(asked: Sequence[Asked], findings: Sequence[Finding]) -> Iterator[tuple[str, Proof]]:
    grades = {"met": Grade.MET, "partial": Grade.PARTIAL, "unmet": Grade.NONE}
    indicators = [one for one in asked if not one.is_topic]
    if len(indicators) != len(findings):  # a text that agrees in nothing was not compared
        return
    for what, finding in zip(indicators, findings, strict=True):
        if finding.verdict in grades:
            yield (
                what.key,
                Proof(
                    grades[finding.verdict],
                    finding.verdict,
                    finding.quote,
                    finding.offered,
                    finding.conversion,
                ),
            )


# --- words ------------------------------------------------------------------------------------------------


def _terms(text: str) -> Counter[str]:
    """The words of a text, and the things it names under whatever name (with a sign of their own)."""
    found = Counter(words(text))
    found.update(f"={mention.concept}" for mention in DEFAULT_DICTIONARY.mentions(normalise(text)))
    return found


def _read(document: Matchable) -> _Read:
    text = "\n".join(section for _, section in document.text_sections())
    return _Read(text, _plain(text), frozenset(_terms(text)))


def _plain(text: str) -> str:
    return normalise(text).lower()


def _rarity(read: Iterable[_Read]) -> Callable[[str], float]:
    """How rare a word is on the list: the same idf as the engine's, over the list's own texts."""
    texts = [one.terms for one in read]
    said = Counter(term for terms in texts for term in terms)
    return lambda term: log(1 + (len(texts) - said[term] + 0.5) / (said[term] + 0.5))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A word that a text should say: the forms in which it can be said, and what it counts.

    A text may cut a long word otherwise, so it is looked for as it is written too.
    """

    forms: frozenset[str]
    word: str
    worth: float

    def is_said(self, plain: str, terms: Iterable[str]) -> bool:
        """Whether a text in one spelling with these terms says it."""
        return not self.forms.isdisjoint(terms) or (len(self.word) >= _LONG_WORD and self.word in plain)


def _wanted(asked: Asked, rarity: Callable[[str], float]) -> list[_Wanted]:
    """The words by which a text speaks of what is asked."""
    named = [asked.term] if asked.is_topic else dict.fromkeys(words(asked.name))
    return [_Wanted(_forms(word), word, rarity(word)) for word in named if word not in _OF_ANY_TEXT]


def _forms(word: str) -> frozenset[str]:
    """The word, and the thing it names; never a part of it, which would be said of much else."""
    return frozenset({word, *(term for term in _terms(word) if term.startswith("="))})


def _mention(read: _Read, wanted: Sequence[_Wanted]) -> str:
    """The sentence that says the most of `wanted`, if it says enough; else nothing."""

    def said_in(plain: str, terms: Iterable[str]) -> float:
        return sum(one.worth for one in wanted if one.is_said(plain, terms))

    enough = SPOKEN_SHARE * sum(one.worth for one in wanted)
    if not wanted or said_in(read.plain, read.terms) < enough:
        return ""
    best, quote = 0.0, ""
    for sentence in sentences(read.text)[:_SENTENCES_AT_MOST]:
        if (said := said_in(_plain(sentence), _terms(sentence))) > best:
            best, quote = said, sentence
    if best < enough:
        return ""
    return quote if len(quote) <= _QUOTE_AT_MOST else quote[: _QUOTE_AT_MOST - 1] + "…"


def _topics(seeker: Matchable, rarity: Callable[[str], float]) -> list[tuple[str, float]]:
    """The seeker's weightiest words with what they weigh, the weightiest first; no word lies in another."""
    said, in_title = Counter(words(seeker.body())), set(words(seeker.title))
    plain, plain_title = _plain(seeker.body()), _plain(seeker.title)
    for whole, count in _compounds(said, plain):
        said[whole] = count
        if whole in plain_title:
            in_title.add(whole)
    worth = {
        word: rarity(word) * min(count, _REPEATED_AT_MOST) * (_IN_TITLE if word in in_title else 1.0)
        for word, count in said.items()
        if word not in _OF_ANY_TEXT and not word.isdigit()
    }
    chosen: list[str] = []
    for word in sorted(worth, key=lambda word: (-round(worth[word], 9), -len(word), word)):
        if len(chosen) < MOST_TOPICS and not any(word in other or other in word for other in chosen):
            chosen.append(word)
    return [(word, worth[word]) for word in chosen]


def _compounds(said: Mapping[str, int], plain: str) -> Iterator[tuple[str, int]]:
    """Two Han words that the seeker says three times side by side and hardly ever apart: one thing."""
    repeated = [word for word, count in said.items() if count >= _OFTEN and not word.isascii()]
    for first in repeated:
        for second in repeated:
            count = plain.count(first + second)
            if first != second and count >= _OFTEN and count >= _TOGETHER * min(said[first], said[second]):
                yield first + second, count


def _as_written(seeker: Matchable, word: str) -> str:
    """The word as the challenge writes it: the terms of Latin texts are stems."""
    body = seeker.body()
    found = spans(body, [word])
    return body[found[0][0] : found[0][1]] if found else word
