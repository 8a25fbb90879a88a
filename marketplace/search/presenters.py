"""Search as its pages show it: marked hits, choices with counts and their age, links."""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import current_app, url_for
from flask_babel import gettext

from marketplace.kernel.pagination import Page
from marketplace.kernel.texts import N_
from marketplace.language import Dictionary
from marketplace.search import queries
from marketplace.search.asked import DAYS, STANDINGS, TRLS, Asked
from marketplace.search.marks import EXCERPT_LENGTH, Pieces, excerpt, find_spans, mark
from marketplace.search.models import SearchDocument
from marketplace.search.queries import Counts, Hit
from marketplace.search.question import Question
from marketplace.search.sources import Standing, dictionary_in_force, registered, source_of
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.regions import province_of, wider_regions

STANDING_NAMES = {
    "open": N_("进行中"),
    "closed": N_("已截止"),
    "verified": N_("已核验"),
    "collected": N_("收录"),
    "withdrawn": N_("已撤榜"),
}
STANDING_TAGS = {"open": "open", "verified": "ok", "collected": "info"}
MONEY_NAMES = {
    "0-50": N_("50 万元以下"),
    "50-100": N_("50–100 万元"),
    "100-500": N_("100–500 万元"),
    "500-1000": N_("500–1000 万元"),
    "1000-": N_("1000 万元以上"),
}
SINCE_NAMES = {"7": N_("近一周"), "30": N_("近一个月"), "365": N_("近一年")}
SORT_NAMES = (
    ("", N_("相关度")),
    ("new", N_("最新发布")),
    ("closing", N_("即将截止")),
    ("money", N_("金额最高")),
)
#: How long counts are shown before they are counted anew, and how many questions' counts a process keeps.
COUNTS_AGE_SECONDS = 60.0
MOST_COUNTS = 200
_NAME = "search.counts"


def scopes() -> dict[str, str]:
    return {source.kind: source.label for source in registered()}


def link_to(document: SearchDocument) -> str:
    source = source_of(document.kind)
    if source is None:
        return ""
    if source.by_number:
        return url_for(source.endpoint, public_no=document.public_no)
    return url_for(source.endpoint, organisation_id=document.subject_id)


# --- hits -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One hit as it is shown."""

    kind: str
    subject_id: int
    kind_name: str
    url: str
    title: Pieces
    excerpt: Pieces
    standing: str
    standing_name: str
    tag: str
    organisation_id: int
    organisation_name: str
    region: str
    clusters: list[str]
    trl: int | None
    money_fen: int | None
    published_at: datetime
    closes_at: datetime | None
    kept: bool


def lines(
    hits: Sequence[Hit], question: Question, *, kept: set[tuple[str, int]], now: datetime
) -> list[Line]:
    _read_by, dictionary = dictionary_in_force()
    return [_line(hit, question, dictionary=dictionary, kept=kept, now=now) for hit in hits]


def _line(
    hit: Hit, question: Question, *, dictionary: Dictionary, kept: set[tuple[str, int]], now: datetime
) -> Line:
    document = hit.document
    standing = standing_of(document, now=now)
    source = source_of(document.kind)
    in_title = find_spans(document.title, question, dictionary)
    return Line(
        kind=document.kind,
        subject_id=document.subject_id,
        kind_name=gettext(source.label) if source else "",
        url=link_to(document),
        title=mark(document.title, in_title),
        excerpt=_excerpt(hit, question, dictionary),
        standing=standing,
        standing_name=gettext(STANDING_NAMES.get(standing, "")) if standing in STANDING_NAMES else "",
        tag=STANDING_TAGS.get(standing, ""),
        organisation_id=document.organisation_id,
        organisation_name=hit.organisation_name,
        region=taxonomy.region_name(document.region, full=False) if document.region else "",
        clusters=taxonomy.cluster_names(document.clusters.split()),
        trl=document.trl,
        money_fen=document.money_fen,
        published_at=document.published_at,
        closes_at=document.closes_at,
        kept=(document.kind, document.subject_id) in kept,
    )


def _excerpt(hit: Hit, question: Question, dictionary: Dictionary) -> Pieces:
    """Where the text says it; else the keywords, where those do; else how the text begins."""
    text = hit.text
    spans = find_spans(text, question, dictionary)
    if not spans and hit.keywords:
        in_keywords = find_spans(hit.keywords, question, dictionary)
        if in_keywords:
            return mark(hit.keywords[:EXCERPT_LENGTH], [s for s in in_keywords if s[1] <= EXCERPT_LENGTH])
    return excerpt(text, spans) if text else []


def standing_of(document: SearchDocument, *, now: datetime) -> str:
    over = document.closes_at is not None and document.closes_at <= now
    return "closed" if over and document.standing == Standing.OPEN else document.standing


# --- counts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Facet:
    """A row of choices, as the list pages' macro takes it."""

    name: str
    label: str
    options: list[Option]


@dataclass(slots=True)
class _Remembered:
    counts: OrderedDict[str, tuple[float, Counts]]
    lock: threading.Lock


def remembered_counts(asked: Asked, question: Question, *, now: datetime) -> Counts:
    """The counts for a question, at most a minute old: of public things, so the same for everybody."""
    memory: _Remembered = current_app.extensions.setdefault(
        _NAME, _Remembered(OrderedDict(), threading.Lock())
    )
    key, tick = urlencode(asked.args()), time.monotonic()
    with memory.lock:
        found = memory.counts.get(key)
    if found is not None and tick - found[0] < COUNTS_AGE_SECONDS:
        return found[1]
    counts = queries.count_facts(asked, question, now=now)
    with memory.lock:
        memory.counts[key] = (tick, counts)
        memory.counts.move_to_end(key)
        while len(memory.counts) > MOST_COUNTS:
            memory.counts.popitem(last=False)
    return counts


def forget_counts() -> None:
    current_app.extensions.pop(_NAME, None)


def itself(stored: str) -> Iterable[str]:
    return (stored,)


# The choices that a stored value belongs to, where it is not the choice itself.
_CHOICES_OF: dict[str, Callable[[str], Iterable[str]]] = {
    "region": wider_regions,
    "cluster": str.split,
    "trl": lambda stored: [choice for choice, (low, high) in TRLS.items() if low <= int(stored) <= high],
    "since": lambda stored: [choice for choice, days in DAYS.items() if 0 < int(stored) <= days],
}


def _counted(counts: Counts, asked: Asked, name: str, values: Mapping[str, str]) -> list[Option]:
    """The choices that lead to something, and the chosen one."""
    choices_of = _CHOICES_OF.get(name, itself)
    totals: Counter[str] = Counter()
    for stored, number in counts.numbers[name].items():
        for choice in choices_of(stored):
            totals[choice] += number
    return [
        Option(choice, label, totals[choice])
        for choice, label in values.items()
        if totals[choice] or choice == asked.value(name) or name == "scope"
    ]


def _offered_regions(chosen: str) -> dict[str, str]:
    """Provinces, and below the chosen one its districts."""
    opened = province_of(chosen) if chosen else ""
    return {
        code: name for code, name, _province in taxonomy.region_pairs() if province_of(code) in (code, opened)
    }


def facets(counts: Counts, asked: Asked) -> list[Facet]:
    rows = [
        ("standing", N_("状态"), {value: STANDING_NAMES[value] for value in STANDINGS}),
        ("cluster", N_("产业集群"), {code: name for code, name, _tier in taxonomy.cluster_pairs()}),
        ("region", N_("地区"), _offered_regions(asked.value("region"))),
        ("trl", N_("成熟度"), {value: f"TRL {value.replace('-', '–')}" for value in TRLS}),
        ("money", N_("金额"), MONEY_NAMES),
        ("since", N_("发布时间"), SINCE_NAMES),
        ("org", N_("单位"), {str(number): name for number, name, _count in counts.organisations}),
    ]
    found = [Facet(name, label, _counted(counts, asked, name, values)) for name, label, values in rows]
    return [facet for facet in found if facet.options]


def tabs(counts: Counts, asked: Asked) -> list[tuple[str, str, int | None]]:
    """(scope, label, count) of the tabs above the hits, everything first."""
    counted = _counted(counts, asked, "scope", scopes())
    total = sum(option.count or 0 for option in counted)
    return [("", N_("全部"), total), *((option.value, option.label, option.count) for option in counted)]


# --- the page -------------------------------------------------------------------------------------------


def found_page(
    asked: Asked,
    question: Question,
    page: Page[Hit],
    *,
    user_id: int | None,
    now: datetime,
) -> dict[str, Any]:
    things = [(hit.document.kind, hit.document.subject_id) for hit in page.items]
    kept = queries.list_kept(user_id, things) if user_id and things else set()
    counts = remembered_counts(asked, question, now=now)
    return {
        "asked": asked,
        "question": question,
        "page": page,
        "lines": lines(page.items, question, kept=kept, now=now),
        "facets": facets(counts, asked),
        "tabs": tabs(counts, asked),
        "counted_at": counts.counted_at,
        "sorts": [(value, name) for value, name in SORT_NAMES if value or question.askable],
        "hall_url": _hall_url(asked),
        "save_url": url_for("search.new_saved") + "?" + urlencode(asked.args()),
    }


def _hall_url(asked: Asked) -> str:
    """The feature's own list with the same words, which knows more to choose by; "" for everything."""
    source = source_of(asked.scope)
    if source is None or not asked.q:
        return ""
    return url_for(f"{source.endpoint.partition('.')[0]}.hall", q=asked.q)


def in_words(asked: Asked) -> str:
    """A saved search in a line: what was typed and chosen."""
    parts = [f"“{asked.q}”"] if asked.q else []
    if asked.scope:
        parts.append(gettext(scopes()[asked.scope]))
    parts += [_chosen_name(name, value) for name, value in asked.chosen]
    return str(gettext("，")).join(part for part in parts if part)


def _chosen_name(name: str, value: str) -> str:
    named: dict[str, Mapping[str, str]] = {
        "standing": STANDING_NAMES,
        "money": MONEY_NAMES,
        "since": SINCE_NAMES,
    }
    if name in named:
        return gettext(named[name][value]) if value in named[name] else value
    if name == "cluster":
        return taxonomy.cluster_name(value) or value
    if name == "region":
        return taxonomy.region_name(value) or value
    if name == "trl":
        return f"TRL {value.replace('-', '–')}"
    if name == "org" and value.isascii() and value.isdigit() and len(value) <= 18:
        return queries.find_organisation_name(int(value))
    return value
