"""The one place where text becomes terms: scripts, words, n-grams, sentences, and marks in the original.

Plain Python: no Flask, no database. Search, matching and duplicate warnings all read text through here,
so that a Traditional and a Simplified wording of the same thing have the same terms. What a number with
a unit means is read elsewhere (`marketplace.indicators.reader`); numbers are kept out of the terms.

Nothing here raises on any `str`, whatever it holds, and all of it takes time linear in the length.
The dictionaries are loaded at first use, not at import.
"""

from marketplace.language.dictionary import DEFAULT_DICTIONARY, Dictionary
from marketplace.language.marks import spans
from marketplace.language.normal import Normalised, normalise, normalise_with_offsets
from marketplace.language.sentences import sentence_spans, sentences
from marketplace.language.terms import (
    LANGUAGE_VERSION,
    Analysis,
    analyse,
    analyse_many,
    han_bigrams,
    terms,
    words,
)

__all__ = [
    "DEFAULT_DICTIONARY",
    "LANGUAGE_VERSION",
    "Analysis",
    "Dictionary",
    "Normalised",
    "analyse",
    "analyse_many",
    "han_bigrams",
    "normalise",
    "normalise_with_offsets",
    "sentence_spans",
    "sentences",
    "spans",
    "terms",
    "words",
]
