"""What of an entry's text the matcher must not see, because it tells who solved it.

A report of a success names the parties and says who took the challenge up. Ranking by that would be
reading the answer. Two kinds of stretches are withheld: sentences about taking up and signing, and the
proper names of the organisations that the same source reports on.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

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
    names_by_source: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.source_title:
            names_by_source[entry.source_title].update(_names_in(entry))
    withheld: dict[str, list[str]] = {}
    for entry in entries:
        stretches = {s for s in sentences(entry.text) if _TELLS_OF_SOLVING.search(s)}
        for name in names_by_source.get(entry.source_title, ()):
            stretches.update(_mentions(name, entry, entries))
        if stretches:
            withheld[entry.id] = sorted(stretches, key=lambda s: (-len(s), s))
    return withheld


def _names_in(entry: CollectedEntry) -> set[str]:
    names = re.split(r"\s*[/+、,，]\s*", f"{entry.org}+{entry.extra.get('solved_by', '')}")
    bare = (re.sub(r"[(（].*?[)）]", "", name).strip() for name in names)
    return {_REGION.sub("", name) for name in bare if len(name) > _SHORTEST_NAME}


def _mentions(name: str, entry: CollectedEntry, entries: Sequence[CollectedEntry]) -> set[str]:
    """The longest beginning of `name` that the text uses as a name, if it is one."""
    for length in range(len(name), _SHORTEST_NAME - 1, -1):
        beginning = name[:length]
        if beginning in entry.text:
            bearers = sum(beginning in other.text for other in entries)
            return {beginning} if bearers <= _MOST_BEARERS else set()
    return set()
