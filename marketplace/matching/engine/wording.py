"""The seeker's text as its reader sees it: which fragments belong to which word.

The index counts words, pairs of characters and single characters of one text, so that a compound counts
even where a dictionary cuts it otherwise. A reader knows words only: here the products of fragments are
added to the word that they lie in. Prepared once for a seeker, asked for each capability.
Not here: the points (`reasons`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from marketplace.language import DEFAULT_DICTIONARY, Dictionary, normalise
from marketplace.language.terms import Field, occurrences
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.terms import CHARACTERS, CONCEPTS, PAIRS, WORDS, field_of, plain

_PHRASE_AT_MOST = 8  # a longer stretch between two words is a clause, not a name
_LONGEST_CUT = 24  # parts of a longer word (a standard, a model) are not looked for


class Wording:
    """The words of a seeker and what lies in them.

    `shown` says how a term is shown: a stem as the word it was cut from.
    """

    def __init__(self, seeker: Matchable, dictionary: Dictionary = DEFAULT_DICTIONARY) -> None:
        self._text = normalise("\n".join(text for _, text in seeker.text_sections()))
        self._lower = self._text.lower()
        self._wholes: dict[str, list[str]] = {}
        self._over: dict[int, tuple[int, int]] = {}
        self._near: dict[str, tuple[tuple[str, ...], str]] = {}
        self.shown: dict[str, str] = {}
        self._written: dict[str, str] = {}
        for one in occurrences(self._text, dictionary):
            if one.field == Field.CONCEPT:
                self._note_concept(one.term, self._text[one.start : one.end])
            if one.field != Field.WORD:
                continue
            if one.term not in self.shown:
                self.shown[one.term] = self._text[one.start : one.end]
                self._cut(one.term)
            for place in range(one.start, one.end):
                widest = self._over.get(place, (one.start, one.start))
                if one.end - one.start > widest[1] - widest[0]:
                    self._over[place] = (one.start, one.end)
        for wholes in self._wholes.values():
            wholes.sort(key=lambda word: (-len(word), word))

    def whole_of(self, word: str, among: Collection[str]) -> str:
        """The longest of `among` that `word` is a part of, or the word itself."""
        return next((whole for whole in self._wholes.get(word, ()) if whole in among), word)

    def fold(self, products: Mapping[str, int], capability_text: str) -> tuple[dict[str, int], int]:
        """Products by word, and the sum of those that belong to no word that both texts have.

        `products`: indexed term → whole number. `capability_text` is normalised and lower case; a stretch
        of the seeker's text that no dictionary knows is named as it stands if it stands there too.
        """
        said = {plain(term) for term in products if field_of(term) == WORDS}
        said |= {self._name_of(plain(term)) for term in products if field_of(term) == CONCEPTS}
        folded: dict[str, int] = {}
        rest = 0
        for term, value in products.items():
            whole = self._place(field_of(term), plain(term), said, capability_text)
            if whole is None:
                rest += value
            else:
                folded[whole] = folded.get(whole, 0) + value
        return folded, rest

    def _place(self, field: int, name: str, said: Collection[str], capability_text: str) -> str | None:
        if field == WORDS:
            return self.whole_of(name, said)
        if field == PAIRS:
            return next((word for word in name.split(" ") if word in said), None)
        if field == CONCEPTS:
            return self.whole_of(self._name_of(name), said)
        whole = self.whole_of(name, said)
        if whole is not name:
            return whole
        if field == CHARACTERS:
            return None
        around, phrase = self._around(name)
        found = next((word for word in around if word in said), None)
        if found is None and phrase and phrase in capability_text:
            return phrase
        return self.whole_of(found, said) if found else None

    def _around(self, gram: str) -> tuple[tuple[str, ...], str]:
        """The words that a pair of characters reaches into where it first stands, and their whole stretch."""
        known = self._near.get(gram)
        if known is None:
            start = self._lower.find(gram)
            spans = sorted({self._over[place] for place in (start, start + 1) if place in self._over})
            words = tuple(self._lower[first:last] for first, last in spans)
            phrase = self._lower[spans[0][0] : spans[-1][1]] if spans else ""
            if gram not in phrase or len(phrase) > _PHRASE_AT_MOST:
                phrase = ""
            known = self._near[gram] = (words, phrase)
        return known

    def _note_concept(self, concept: str, written: str) -> None:
        """A thing with several names is shown by the one that the seeker uses."""
        name = self._written.setdefault(concept, written.lower())
        if name not in self.shown:
            self.shown[name] = written
            self._cut(name)

    def _name_of(self, concept: str) -> str:
        return self._written.get(concept, concept)

    def _cut(self, word: str) -> None:
        """Note every part of a Han word; parts of Latin words mean nothing."""
        if word.isascii() or len(word) > _LONGEST_CUT:
            return
        parts = {word[i:j] for i in range(len(word)) for j in range(i + 1, len(word) + 1)} - {word}
        for part in parts:
            self._wholes.setdefault(part, []).append(word)
