"""Text to terms: words, Han bigrams and characters, stems and pairs of Latin words, concepts and families.

Six term fields of one text, for one weighted sum of postings. Numbers and quantities are not terms; model
numbers and standards are, each as one. Where a term stands in the text is kept, so that it can be marked.
What is a word and which names mean one thing is said by a dictionary (`dictionary`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from operator import add
from typing import NamedTuple, Protocol

from marketplace.language.dictionary import DEFAULT_DICTIONARY, Dictionary
from marketplace.language.families import members
from marketplace.language.normal import normalise
from marketplace.language.vocabulary import HAN_UNITS, LATIN_UNITS, STOP_WORDS

# Raise it whenever the same text gives other terms than before by the same dictionary: stored runs and
# token ids depend on it.
LANGUAGE_VERSION = "2"

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_TERM_LENGTH_AT_MOST = 60


class Field:
    """Names of the term fields, as keys of `Analysis.fields`."""

    WORD = "word"
    BIGRAM = "bigram"
    CHAR = "char"
    PAIR = "pair"
    CONCEPT = "concept"
    FAMILY = "family"


class Occurrence(NamedTuple):
    """One term at one place of a normalised text."""

    field: str
    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """How often each term stands in a text, by field; all terms lower case."""

    words: Counter[str]  # Han words of two characters and more, stems, model numbers
    bigrams: Counter[str]  # neighbouring Han characters
    chars: Counter[str]  # single Han characters
    pairs: Counter[str]  # neighbouring Latin stems, joined by one space
    concepts: Counter[str]  # things named by any of their names, under the canonical one
    families: Counter[str]  # families of products of which a member is named

    @property
    def fields(self) -> dict[str, Counter[str]]:
        """The six counters under the names in `Field`."""
        return {
            Field.WORD: self.words,
            Field.BIGRAM: self.bigrams,
            Field.CHAR: self.chars,
            Field.PAIR: self.pairs,
            Field.CONCEPT: self.concepts,
            Field.FAMILY: self.families,
        }


def _either(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


_NUMBER = r"\d+(?:[.,]\d+)*(?:\s?[×xX*]\s?10\^?-?\d+|[eE][+-]?\d{1,2}(?![\w.]))?"
_UNIT = rf"(?:[万亿千百]?(?:{_either(HAN_UNITS)})|(?i:{_either(LATIN_UNITS)})(?:\^-?\d)?)"
_UNITS = rf"{_UNIT}(?:[/·*]{_UNIT})*"
_LATIN_WORD = re.compile(f"[{_LATIN}]+")
_ALLOY_OR_TYPE = "铝|镁|铜|钛|钢|合金|不锈钢|系|型|电池|电芯|轴承"
_TOKEN = re.compile(
    # a standard is one term, however it is spaced
    r"(?P<standard>(?<![A-Za-z0-9])(?:GB|GJB|JB|QC|YB|HG|NB|SJ|YY|DB|ISO|IEC|IEEE|ASTM|SAE|DIN|JIS|EN|UL|AEC)"
    r"(?:[/-][A-Z]{1,3})?\s?-?[A-Z]?\d{2,6}(?:\.\d{1,3})*(?![A-Za-z0-9]))"
    # an alloy or type number is a term although it is only digits: 6061铝, 304不锈钢, 18650电池
    rf"|(?P<type>(?<![\d.])\d{{2,5}}(?=(?:{_ALLOY_OR_TYPE})))"
    # a number with its unit, unless letters follow: 40Cr and 6061-T6 are no quantities
    rf"|(?P<quantity>(?<![A-Za-z0-9]){_NUMBER}\s?(?:{_UNITS})?"
    r"(?:(?<=[\u4e00-\u9fff])|(?![A-Za-z0-9]|-?[A-Za-z])))"
    rf"|(?P<latin>(?:[{_LATIN}]|\d)[{_LATIN}0-9+#]*(?:[-_./][{_LATIN}0-9]+)*)"
    rf"|(?P<han>[{HAN}]+)"
    r"|(?P<other>[^\W\d_A-Za-z\u00c0-\u024f\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff]+)"
)
# 5G, 3D, 4K, 3C are no gauss, kelvin or coulomb; a rate or hardness value is a measured value
_TECHNOLOGY = re.compile(r"\d[DGKC]")
_SPELLED_SO = frozenset(["c++", "c#"])
_MEASURED = re.compile(r"(?:ra|rz|hrc|hb|hv|ph|dn|φ)\d[\d.-]*|[\d.]+-[\d.]+", re.IGNORECASE)


class _Scan(NamedTuple):
    """A normalised text taken apart: terms without Han, with their places, and runs of Han."""

    latin: list[Occurrence]
    runs: list[tuple[int, str]]


def _scan(text: str) -> _Scan:
    latin: list[Occurrence] = []
    runs: list[tuple[int, str]] = []
    previous: Occurrence | None = None
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup or "", match[0].rstrip()
        if kind == "han":
            runs.append((match.start(), token))
            previous = None
        elif kind == "quantity" and not _TECHNOLOGY.fullmatch(token):
            previous = None
        else:
            for found, forms_pairs in _latin_terms(kind, token, match.start()):
                latin.append(found)
                if forms_pairs and previous and not text[previous.end : found.start].strip(" -/_'"):
                    pair = f"{previous.term} {found.term}"
                    latin.append(Occurrence(Field.PAIR, pair, previous.start, found.end))
                previous = found if forms_pairs else None
    return _Scan(latin, runs)


def occurrences(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> Iterator[Occurrence]:
    """Every term of every field of a NORMALISED text with its place; not sorted."""
    scan = _scan(text)
    yield from _plain_occurrences(text, scan, dictionary)
    yield from _han_words(scan.runs, dictionary)
    for families, start, end in members(text):
        for family in families:
            yield Occurrence(Field.FAMILY, family, start, end)


def plain_occurrences(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> Iterator[Occurrence]:
    """As `occurrences`, without Han words and families: those cost most, and not everybody asks for them."""
    return _plain_occurrences(text, _scan(text), dictionary)


def _plain_occurrences(text: str, scan: _Scan, dictionary: Dictionary) -> Iterator[Occurrence]:
    yield from scan.latin
    for start, run in scan.runs:
        yield from _han_ngrams(run, start)
    for concept, start, end in dictionary.mentions(text):
        yield Occurrence(Field.CONCEPT, concept, start, end)


def analyse(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> Analysis:
    """The terms of a text as written (it is normalised here), counted by field. Linear; never raises."""
    normalised = normalise(text)
    scan = _scan(normalised)
    words = Counter(_words_of(scan, dictionary))
    pairs = Counter(found.term for found in scan.latin if found.field == Field.PAIR)
    chars: Counter[str] = Counter()
    bigrams: Counter[str] = Counter()
    for _, run in scan.runs:
        chars.update(run)
        bigrams.update(map(add, run, run[1:]))
    concepts = Counter(mention.concept for mention in dictionary.mentions(normalised))
    families = Counter(chain.from_iterable(member.families for member in members(normalised)))
    return Analysis(
        words=words, bigrams=bigrams, chars=chars, pairs=pairs, concepts=concepts, families=families
    )


def analyse_many(texts: Iterable[str], dictionary: Dictionary = DEFAULT_DICTIONARY) -> list[Analysis]:
    """`analyse` of each text, in order."""
    return [analyse(text, dictionary) for text in texts]


def words(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> list[str]:
    """The word terms of a text as written, repetitions kept: Latin stems and model numbers, then Han words.

    Han words have two characters or more; a long word comes with its parts (减速器: 减速, 减速器).
    """
    return _words_of(_scan(normalise(text)), dictionary)


def han_bigrams(text: str) -> list[str]:
    """Each two neighbouring Han characters of a text as written, in order, repetitions kept."""
    return [pair for _, run in _scan(normalise(text)).runs for pair in map(add, run, run[1:])]


def terms(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> list[str]:
    """The terms by which a text is found, each once: words, Latin pairs and Han bigrams.

    A text of one Han character gives that character, so that every word can be searched for.
    """
    analysis = analyse(text, dictionary)
    found = dict.fromkeys([*analysis.words, *analysis.pairs, *analysis.bigrams])
    return list(found) or list(analysis.chars)


def _words_of(scan: _Scan, dictionary: Dictionary) -> list[str]:
    found = [one.term for one in scan.latin if one.field == Field.WORD]
    joined = "\n".join(run for _, run in scan.runs)
    if joined:
        found.extend(word for word in _cutter(dictionary).cut_for_search(joined) if len(word) > 1)
    return found


def _latin_terms(kind: str, token: str, start: int) -> Iterator[tuple[Occurrence, bool]]:
    """The terms of one token without Han, and whether each forms pairs with its neighbours."""
    whole = token.lower()
    if kind == "standard":
        whole = re.sub(r"[\s-]", "", whole)
    is_plain_word = kind == "latin" and whole not in _SPELLED_SO and not any(map(str.isdigit, token))
    if not is_plain_word:
        if kind != "latin" or not _MEASURED.fullmatch(token):
            term = whole[:_TERM_LENGTH_AT_MOST]
            yield Occurrence(Field.WORD, term, start, start + len(token)), False
        # "5-axis" is about an axis too; "MR-J4" is only a name
        if kind != "latin" or not token.islower() or "-" not in token:
            return
    for part in _LATIN_WORD.finditer(token):
        word = part[0].lower()
        if len(word) > (1 if is_plain_word else 2) and word not in STOP_WORDS:
            yield Occurrence(Field.WORD, stem(word), start + part.start(), start + part.end()), True


def _han_ngrams(run: str, start: int) -> Iterator[Occurrence]:
    for place, character in enumerate(run, start):
        yield Occurrence(Field.CHAR, character, place, place + 1)
    for place in range(len(run) - 1):
        yield Occurrence(Field.BIGRAM, run[place : place + 2], start + place, start + place + 2)


def _han_words(runs: list[tuple[int, str]], dictionary: Dictionary) -> Iterator[Occurrence]:
    """Words of two characters and more; the runs are cut in one call, a line break between them."""
    joined = "\n".join(run for _, run in runs)
    if not joined:
        return
    shifts = []
    place = 0
    for start, run in runs:
        shifts.append((place, start - place))
        place += len(run) + 1
    current = 0
    for word, first, last in _cutter(dictionary).tokenize(joined, mode="search"):
        if last - first < 2:
            continue
        while current + 1 < len(shifts) and shifts[current + 1][0] <= first:
            current += 1
        shift = shifts[current][1]
        yield Occurrence(Field.WORD, word, first + shift, last + shift)


class _Cutter(Protocol):
    def tokenize(self, text: str, mode: str) -> list[tuple[str, int, int]]: ...

    def cut_for_search(self, text: str) -> list[str]: ...


# A cutter holds some ten megabytes: one for the dictionary in force, one for each that is compared with it.
@lru_cache(maxsize=4)
def _cutter(dictionary: Dictionary) -> _Cutter:
    """The word cutter that knows a dictionary's compounds beside its own."""
    from rjieba import Jieba  # its dictionary takes a while to load: at first use, not at import

    jieba = Jieba()
    for compound in dictionary.words:
        jieba.add_word(compound, None, None)
    cutter: _Cutter = jieba
    return cutter


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - the library's name


@cache
def _stemmer() -> _Stemmer:
    from snowballstemmer import stemmer

    english: _Stemmer = stemmer("english")
    return english


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball stem of one lower-case word; words of other alphabets and very long ones as they are."""
    if len(word) > _TERM_LENGTH_AT_MOST:
        return word[:_TERM_LENGTH_AT_MOST]
    return _stemmer().stemWord(word) if word.isascii() else word
