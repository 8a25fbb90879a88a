"""The words of titles and keywords: what is suggested while typing, and what was probably meant.

A process keeps them in memory and asks once a minute whether they were counted anew. Only public documents
are read. Not here: what people searched for (`tally`).
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from flask import current_app
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from sqlalchemy import delete, insert, select

from marketplace.kernel.db import db
from marketplace.language import Dictionary, normalise, words
from marketplace.search.models import SearchBody, SearchDocument, SearchVocabulary, SearchWord
from marketplace.search.question import Question, read_question
from marketplace.search.sources import dictionary_in_force
from marketplace.search.tokens import is_han, spelled

SECONDS_BETWEEN_LOOKS = 60.0
MOST_WORDS = 50_000
LONGEST_WORD = 20
SHORTEST_LATIN = 3
SUGGESTED = 8
_BATCH = 500
_NAME = "search.vocabulary"


@dataclass(slots=True)
class Vocabulary:
    """Words in order, with the number of documents that have them."""

    words: list[str] = field(default_factory=list)
    documents: dict[str, int] = field(default_factory=dict)
    counted_at: datetime | None = None
    looked_at: float = 0.0

    def starting_with(self, beginning: str) -> list[str]:
        """The most used words that begin so."""
        first = bisect_left(self.words, beginning)
        found = []
        for word in islice(self.words, first, None):
            if not word.startswith(beginning):
                break
            found.append(word)
        return sorted(found, key=lambda word: (-self.documents[word], word))[:SUGGESTED]

    def nearest(self, typed: str) -> str:
        """The word that was probably meant; "" where none is near."""
        allowed = 1 if len(typed) <= 5 else 2
        near = process.extract(typed, self.words, scorer=Levenshtein.distance, score_cutoff=allowed, limit=20)
        # A word of two characters with one changed is another word.
        likely = [(distance, word) for word, distance, _place in near if len(word) > 2]
        if not likely:
            return ""
        return min(likely, key=lambda pair: (pair[0], -self.documents[pair[1]], pair[1]))[1]


_lock = threading.Lock()


def in_memory() -> Vocabulary:
    """The words as this process knows them: at most one statement a minute, and one more to load them."""
    now = time.monotonic()
    known: Vocabulary = current_app.extensions.setdefault(_NAME, Vocabulary())
    if known.looked_at and now - known.looked_at < SECONDS_BETWEEN_LOOKS:
        return known
    with _lock:
        counted_at = db.session.scalar(select(SearchVocabulary.counted_at))
        if counted_at != known.counted_at:
            rows = db.session.execute(select(SearchWord.word, SearchWord.documents)).all()
            documents = {row.word: row.documents for row in rows}
            known = Vocabulary(sorted(documents), documents, counted_at)
        known.looked_at = now
        current_app.extensions[_NAME] = known
    return known


def forget() -> None:
    """Have the words loaded anew: they were counted in this very process."""
    current_app.extensions.pop(_NAME, None)


def suggest(typed: str) -> list[str]:
    """Words that continue the last one typed, with what stands before it."""
    head, _blank, last = typed.lstrip().rpartition(" ")
    beginning = spelled(last)
    if not beginning:
        return []
    return [f"{head} {word}".strip() for word in in_memory().starting_with(beginning) if word != beginning]


def mend(question: Question) -> str:
    """The question with each unknown word replaced by the nearest known one; "" where nothing is to mend."""
    known = in_memory()
    mended, changed = [], False
    for chunk in question.asked.split():
        plain = spelled(chunk)
        meant = "" if _is_no_word(plain) or _is_known(plain, known) else known.nearest(plain)
        changed = changed or bool(meant)
        mended.append(meant or chunk)
    return " ".join(mended) if changed else ""


def _is_no_word(plain: str) -> bool:
    """Signs of the question, numbers and single characters are left as they are."""
    return (
        len(plain) < 2 or plain.startswith(("-", '"')) or plain.endswith('"') or any(map(str.isdigit, plain))
    )


def _is_known(plain: str, known: Vocabulary) -> bool:
    if plain in known.documents:
        return True
    _read_by, dictionary = dictionary_in_force()
    parts = [unit.spelling for unit, _sure in read_question(plain, dictionary).units]
    return bool(parts) and all(len(part) > 1 and part in known.documents for part in parts)


def is_vocabulary(question: Question) -> bool:
    """Whether a question consists of nothing but known words: those may be counted and shown to others."""
    known = in_memory()
    return question.askable and all(unit.spelling in known.documents for unit, _sure in question.units)


# --- counting -------------------------------------------------------------------------------------------


def count_words(report: Callable[[int], None] = lambda _documents: None) -> tuple[Counter[str], int]:
    """In how many documents each word of titles and keywords stands.

    Reads in batches and holds no transaction between them; `report` is told after each how many were read.
    """
    _read_by, dictionary = dictionary_in_force()
    counts: Counter[str] = Counter()
    documents = 0
    for batch in _named():
        db.session.rollback()
        for title, keywords in batch:
            counts.update(_words_of(title, keywords, dictionary))
        documents += len(batch)
        report(documents)
    return counts, documents


def _named() -> Iterator[list[tuple[str, str]]]:
    last = 0
    while True:
        rows = db.session.execute(
            select(SearchDocument.id, SearchDocument.title, SearchBody.keywords)
            .join(SearchBody, SearchBody.document_id == SearchDocument.id)
            .where(SearchDocument.id > last)
            .order_by(SearchDocument.id)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        yield [(row.title, row.keywords) for row in rows]


def _words_of(title: str, keywords: str, dictionary: Dictionary) -> set[str]:
    text = normalise(f"{title}\n{keywords}")
    found = {word for word in words(text, dictionary) if is_han(word[0])}
    # People type words, not stems.
    found.update(
        piece for piece in text.lower().replace("、", " ").split() if piece.isascii() and piece.isalpha()
    )
    found.update(spelled(keyword) for keyword in keywords.split("、"))
    return {word for word in found if (SHORTEST_LATIN if word.isascii() else 2) <= len(word) <= LONGEST_WORD}


def store(counts: Counter[str], *, documents: int, now: datetime) -> None:
    """Inside `transaction()`: these are the words from now on."""
    db.session.execute(delete(SearchWord))
    rows = [{"word": word, "documents": count} for word, count in counts.most_common(MOST_WORDS)]
    if rows:
        db.session.execute(insert(SearchWord), rows)
    db.session.execute(delete(SearchVocabulary))
    db.session.execute(insert(SearchVocabulary).values(id=1, counted_at=now, documents=documents))
