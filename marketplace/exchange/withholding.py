"""What of an entry's text the matcher must not see, because it tells who solved it.

A report of a success names the parties and says who took the challenge up. Ranking by that would be
reading the answer. Two kinds of stretches are withheld: sentences about taking up and signing, and the
proper names of the organisations that the same source reports on.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice

from marketplace.exchange.entries import CollectedEntry
from marketplace.language import sentences

_TELLS_OF_SOLVING = re.compile(
    r"揭榜后|由.{2,40}揭榜|揭榜方|成功揭榜|联手.{2,80}申报|聯手.{2,120}申報|共同申报|共同申報"
    r"|得到了响应|收到了.{0,40}回应|签订(?:合作|攻坚)协议|组建专项研发团队"
)
_REGION = re.compile(
    r"^(?:中国|中國|台灣|臺灣|[一-鿿]{2,3}(?:省|市|区|县)|北京|上海|天津|重庆|武汉|长沙|吉林|安徽)"
)
_SHORTEST_NAME = 3
# A beginning that more entries share than this is a common word and not a name.
_MOST_BEARERS = 4


def withheld_stretches(entries: Sequence[CollectedEntry]) -> dict[str, list[str]]:
    """Entry id → the stretches of its text that must not be matched, longest first."""
    by_source: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        if entry.source_title:
            for name in _names_in(entry):
                by_source[entry.source_title][name[:_SHORTEST_NAME]].add(name)
    is_name = _IsName(entries)
    withheld: dict[str, list[str]] = {}
    for entry in entries:
        stretches = {s for s in sentences(entry.text) if _TELLS_OF_SOLVING.search(s)}
        names = by_source.get(entry.source_title, {})
        for start in _starts(entry.text) & names.keys():
            stretches.update(mention for name in names[start] if (mention := _mention(name, entry, is_name)))
        if stretches:
            withheld[entry.id] = sorted(stretches, key=lambda s: (-len(s), s))
    return withheld


def _starts(text: str) -> set[str]:
    """What a name in `text` may begin with: it is looked up once per text and not once per name."""
    return {text[place : place + _SHORTEST_NAME] for place in range(len(text) - _SHORTEST_NAME + 1)}


def _names_in(entry: CollectedEntry) -> set[str]:
    names = re.split(r"\s*[/+、,，]\s*", f"{entry.org}+{entry.extra.get('solved_by', '')}")
    bare = (re.sub(r"[(（].*?[)）]", "", name).strip() for name in names)
    return {_REGION.sub("", name) for name in bare if len(name) > _SHORTEST_NAME}


class _IsName:
    """Whether a beginning is used as a name: not by more entries than a name has bearers."""

    def __init__(self, entries: Sequence[CollectedEntry]) -> None:
        self._entries = entries
        self._known: dict[str, bool] = {}

    def __call__(self, beginning: str) -> bool:
        if beginning not in self._known:
            bearers = (entry for entry in self._entries if beginning in entry.text)
            self._known[beginning] = next(islice(bearers, _MOST_BEARERS, None), None) is None
        return self._known[beginning]


def _mention(name: str, entry: CollectedEntry, is_name: _IsName) -> str:
    """The longest beginning of `name` that the text uses, if it is a name; else ""."""
    lengths = range(len(name), _SHORTEST_NAME - 1, -1)
    beginning = next((name[:length] for length in lengths if name[:length] in entry.text), "")
    return beginning if beginning and is_name(beginning) else ""
