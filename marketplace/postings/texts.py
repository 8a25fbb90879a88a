"""Spelling and cutting the texts of postings. Plain Python."""

from collections.abc import Iterable

from marketplace.language import normalise

_SEPARATORS = str.maketrans(dict.fromkeys("，,；;、\n\r\t", "\x00"))


def searchable(*texts: str) -> str:
    """How texts and questions are spelled for the keyword search: simplified, narrow, lower case."""
    return normalise("\n".join(text for text in texts if text)).lower()


def split_words(text: str) -> list[str]:
    """Keywords as people separate them: 、 ， ； or new lines; repeats are dropped, the order is kept."""
    words = (word.strip() for word in text.translate(_SEPARATORS).split("\x00"))
    return list(dict.fromkeys(word for word in words if word))


def without(text: str, withheld: Iterable[str]) -> str:
    """`text` with the stretches left out that must not be matched; their place stays a break."""
    for stretch in sorted(withheld, key=len, reverse=True):
        if stretch:
            text = text.replace(stretch, "\n")
    return text
