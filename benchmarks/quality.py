"""Ranking quality of the text part on judged sets, beside plain peers, with paired-bootstrap intervals.

    python -m benchmarks.quality FOLDER [--sets NAME,NAME] [--short] [--ablate] [--profiles] [--json FILE]

FOLDER holds judged sets as NAME/{queries.jsonl,docs.jsonl,qrels.tsv,meta.json}. One configuration, the
shipped one, for all of them; nothing is tuned by set. nDCG@10 with linear gain, Recall@20, MRR@10, ties by
document order. A set on which the best peer's nDCG@10 is above .95 is saturated: a guard, not a target.
`--ablate` changes one thing at a time; `--profiles` cuts every document to its first characters;
`--short` measures at most 150 queries of a set and the strongest peers.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marketplace.matching.engine.evaluation import (
    Interval,
    JudgedSet,
    Measures,
    System,
    answering,
    difference,
    evaluate,
    indexed,
    ratio_of_means,
    read_set,
    shipped,
)
from marketplace.matching.engine.index import Index
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.weights import TextWeights

OURS = "ours"
_SATURATED = 0.95
_SHORT_QUERIES = 150
_PROFILE_LENGTHS = (20, 40, 80)
_TANTIVY_HITS = 60

Answer = Callable[[str], Array]


@lru_cache(maxsize=50_000)
def jieba_words(text: str) -> tuple[str, ...]:
    """Words as jieba's search mode cuts them, lower case, without what has no letter or digit."""
    import jieba

    jieba.setLogLevel(logging.ERROR)
    return tuple(word.lower() for word in jieba.cut_for_search(text) if any(map(str.isalnum, word)))


@lru_cache(maxsize=50_000)
def bigrams(text: str) -> tuple[str, ...]:
    """Every two neighbouring Han characters; words where the text is Latin."""
    found: list[str] = []
    for match in re.finditer(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+", text.lower()):
        run = match[0]
        is_han = "\u3400" <= run[0] <= "\u9fff"
        found += [run[at : at + 2] for at in range(len(run) - 1)] or [run] if is_han else [run]
    return tuple(found)


def tfidf(documents: Sequence[str], **settings: object) -> Answer:
    """scikit-learn TF-IDF, cosine."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(**settings)
    matrix = vectorizer.fit_transform(documents)
    return lambda query: np.asarray((matrix @ vectorizer.transform([query]).T).todense()).ravel()


def bm25(documents: Sequence[str], *, cut: Callable[[str], tuple[str, ...]]) -> Answer:
    """bm25s as it comes: k1 1.5, b .75."""
    import bm25s

    retriever = bm25s.BM25()
    retriever.index([list(cut(text)) for text in documents], show_progress=False)

    def answer(query: str) -> Array:
        tokens = list(cut(query))
        return np.asarray(retriever.get_scores(tokens)) if tokens else np.zeros(len(documents))

    return answer


def tantivy_bm25(documents: Sequence[str]) -> Answer:
    """tantivy over jieba's words; its first hits, the others 0."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace")
    builder.add_integer_field("row", stored=True)
    index = tantivy.Index(builder.build())
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for row, text in enumerate(documents):
        writer.add_document(tantivy.Document(text=" ".join(jieba_words(text)), row=row))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def answer(query: str) -> Array:
        scores = np.zeros(len(documents))
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(index.schema, "text", word))
            for word in jieba_words(query)
        ]
        if clauses:
            found = searcher.search(tantivy.Query.boolean_query(clauses), min(_TANTIVY_HITS, len(documents)))
            for score, address in found.hits:
                scores[searcher.doc(address)["row"][0]] = score
        return scores

    return answer


PEERS: Mapping[str, System] = {
    "tfidf char 2-3": partial(tfidf, analyzer="char", ngram_range=(2, 3)),
    "tfidf jieba": partial(tfidf, analyzer=jieba_words),
    "tfidf jieba sublinear": partial(tfidf, analyzer=jieba_words, sublinear_tf=True),
    "bm25s jieba": partial(bm25, cut=jieba_words),
    "bm25s bigram": partial(bm25, cut=bigrams),
    "tantivy jieba": tantivy_bm25,
}
_SHORT_PEERS = ("tfidf jieba sublinear", "bm25s bigram")

#: One change at a time from what is shipped.
ABLATIONS: Mapping[str, Mapping[str, float]] = {
    "without families": {"families": 0.0},
    "without other names": {"concepts": 0.0},
    "without both": {"families": 0.0, "concepts": 0.0},
    "without words": {"words": 0.0},
    "without bigrams": {"bigrams": 0.0},
    "without characters": {"characters": 0.0},
    "characters × 0.8 as before": {"characters": 0.8},
    "without English pairs": {"pairs": 0.0},
    "without the length rule": {"rarity": 0.0},
    "length rule 0.75 as before": {"rarity": 0.75},
    "b 0.5": {"b": 0.5},
    "b 0.75 as before": {"b": 0.75},
    "b 0.95": {"b": 0.95},
    "k1 0.8": {"k1": 0.8},
    "k1 2": {"k1": 2.0},
}


@dataclass(frozen=True, slots=True)
class Row:
    """One system on one set."""

    set: str
    system: str
    ndcg10: float
    recall20: float
    mrr10: float
    ms_per_query: float


def measure(sets: Mapping[str, JudgedSet], systems: Mapping[str, System]) -> dict[str, dict[str, Measures]]:
    """set → system → measures; prints each as it is done."""
    found: dict[str, dict[str, Measures]] = {}
    print(f"{'set':<20}{'system':<28}{'nDCG@10':>8}{'R@20':>8}{'MRR@10':>8}{'ms/query':>10}")
    for name, judged_set in sets.items():
        found[name] = {}
        for label, system in systems.items():
            measures = found[name][label] = evaluate(judged_set, system)
            means = measures.to_dict()
            print(
                f"{name:<20}{label:<28}{means['ndcg10']:8.3f}{means['recall20']:8.3f}"
                f"{means['mrr10']:8.3f}{means['ms_per_query']:10.2f}",
                flush=True,
            )
    return found


def compare(found: Mapping[str, Mapping[str, Measures]]) -> None:
    """Ours against the best peer of each set, and the means' ratio, with 95 % intervals."""
    print(f"\n{'set':<20}{'best peer':<24}{'nDCG@10 ours - peer':<30}{'R@20 ours - best of any':<30}")
    unsaturated = []
    for name, by_system in found.items():
        ours = by_system[OURS]
        peers = {label: measures for label, measures in by_system.items() if label != OURS}
        best = max(peers, key=lambda label: peers[label].ndcg10.mean())
        recalled = max(peers, key=lambda label: peers[label].recall20.mean())
        gain = difference(ours.ndcg10, peers[best].ndcg10)
        recall = difference(ours.recall20, peers[recalled].recall20)
        is_guard = peers[best].ndcg10.mean() > _SATURATED
        if not is_guard:
            unsaturated.append((ours.ndcg10, peers[best].ndcg10))
        print(
            f"{name:<20}{best:<24}"
            f"{f'{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]':<30}"
            f"{f'{recall.value:+.4f} [{recall.low:+.4f}, {recall.high:+.4f}]':<30}"
            f"{'guard' if is_guard else ''}"
        )
    if unsaturated:
        ratio = ratio_of_means(unsaturated)
        print(
            f"mean of {len(unsaturated)} unsaturated sets ÷ mean of their best peers: "
            f"{ratio.value:.4f} [{ratio.low:.4f}, {ratio.high:.4f}]"
        )


def ablate(sets: Mapping[str, JudgedSet]) -> None:
    """nDCG@10 with one thing changed, and what that does to the means over all sets. Texts are read once."""
    read = {name: indexed(one.documents) for name, one in sets.items()}
    shown = {name: evaluate(one, _weighed(read[name], {})) for name, one in sets.items()}
    print(
        f"\n{'change':<28}"
        + "".join(f"{name:>20}" for name in sets)
        + f"{'mean nDCG@10':>34}{'mean R@20':>34}"
    )
    print(f"{'as shipped':<28}" + "".join(f"{m.ndcg10.mean():20.4f}" for m in shown.values()), flush=True)
    for label, change in ABLATIONS.items():
        changed = {name: evaluate(one, _weighed(read[name], change)) for name, one in sets.items()}
        gains = ratio_of_means([(changed[name].ndcg10, shown[name].ndcg10) for name in sets])
        found = ratio_of_means([(changed[name].recall20, shown[name].recall20) for name in sets])
        cells = "".join(f"{changed[name].ndcg10.mean():20.4f}" for name in sets)
        print(f"{label:<28}{cells}{_percent(gains):>34}{_percent(found):>34}", flush=True)


def _percent(ratio: Interval) -> str:
    return f"{ratio.value - 1:+.2%} [{ratio.low - 1:+.2%}, {ratio.high - 1:+.2%}]"


def _weighed(index: Index, change: Mapping[str, float]) -> System:
    """The texts of an index by other weights, from the counts that it keeps."""
    index.weights = replace(TextWeights(), **change)
    fresh = index.refit()
    return lambda documents: answering(fresh)


def profiles(sets: Mapping[str, JudgedSet], systems: Mapping[str, System]) -> None:
    """The same sets, every document cut to its first characters: what a short profile costs."""
    for length in _PROFILE_LENGTHS:
        print(f"\nfirst {length} characters of each document")
        cut = {
            name: replace(one, documents=tuple(text[:length] for text in one.documents))
            for name, one in sets.items()
        }
        compare(measure(cut, systems))


def _shortened(judged_set: JudgedSet) -> JudgedSet:
    """Every n-th judged query, so that at most `_SHORT_QUERIES` are left."""
    places = judged_set.judged
    kept = places[:: -(-len(places) // _SHORT_QUERIES)]
    return replace(
        judged_set,
        query_ids=tuple(judged_set.query_ids[place] for place in kept),
        queries=tuple(judged_set.queries[place] for place in kept),
        grades=tuple(judged_set.grades[place] for place in kept),
        absent=tuple(judged_set.absent[place] for place in kept),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="", help="names, with commas between")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--profiles", action="store_true")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    names = options.sets.split(",") if options.sets else []
    names = names or sorted(path.name for path in options.folder.iterdir() if path.is_dir())
    sets = {name: read_set(options.folder / name) for name in names}
    peers = {label: PEERS[label] for label in _SHORT_PEERS} if options.short else PEERS
    if options.short:
        sets = {name: _shortened(one) for name, one in sets.items()}
    systems = {OURS: shipped, **peers}
    found = measure(sets, systems)
    compare(found)
    if options.ablate:
        ablate(sets)
    if options.profiles:
        profiles(sets, systems)
    if options.json:
        rows = [
            asdict(Row(name, label, **measures.to_dict()))
            for name, by_system in found.items()
            for label, measures in by_system.items()
        ]
        options.json.write_text(json.dumps(rows, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
