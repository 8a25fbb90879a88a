"""Measuring a ranking: the numbers by hand, what a damaged folder says, and paired intervals."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from marketplace.matching.engine.evaluation import (
    BadSetError,
    difference,
    evaluate,
    ratio_of_means,
    read_set,
    shipped,
)

DOCUMENTS = {
    "a": "谐波减速器与机器人关节，传动精度高。",
    "b": "榨菜加工与冷链物流。",
    "c": "滚动轴承，培林，主轴。",
    "d": "",
}
QUERIES = {"q1": "机器人减速器", "q2": "轴承", "q3": "没有人判断过"}


def write(folder, *, documents=None, queries=None, grades="q1\ta\t2\nq1\tc\t1\nq2\tc\t1\n", meta=None):
    for name, texts in (("docs", documents or DOCUMENTS), ("queries", queries or QUERIES)):
        rows = [json.dumps({"id": id, "text": text}, ensure_ascii=False) for id, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "qrels.tsv").write_text(grades, encoding="utf-8")
    if meta is not None:
        (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return folder


def fixed(scores):
    """A system that gives the documents these scores, whatever is asked."""
    return lambda documents: lambda query: np.array(scores, dtype=np.float64)


def test_the_numbers_are_those_of_the_formulas(tmp_path):
    # order a, b, c, d for both queries
    measures = evaluate(read_set(write(tmp_path)), fixed([9, 8, 7, 0]))
    ideal = 2 + 1 / math.log2(3)
    assert measures.ndcg10 == pytest.approx([(2 + 1 / math.log2(4)) / ideal, 1 / math.log2(4)])
    assert measures.recall20 == pytest.approx([1, 1])
    assert measures.mrr10 == pytest.approx([1, 1 / 3])
    assert measures.skipped == 1
    assert set(measures.to_dict()) == {"ndcg10", "recall20", "mrr10", "ms_per_query"}


def test_equal_scores_keep_the_order_of_the_documents(tmp_path):
    documents = {f"d{number}": "" for number in range(60)}
    folder = write(tmp_path, documents=documents, grades="q1\td0\t1\nq2\td20\t1\n")
    measures = evaluate(read_set(folder), fixed([0] * 60))
    assert measures.mrr10 == pytest.approx([1, 0])
    assert measures.recall20 == pytest.approx([1, 0])


def test_only_judged_documents_are_ordered_where_the_set_says_so(tmp_path):
    grades = "q1\ta\t0\nq1\tc\t1\n"
    scores = [1, 5, 2, 4]
    everything = evaluate(read_set(write(tmp_path, grades=grades)), fixed(scores))
    assert everything.mrr10 == pytest.approx([1 / 3])
    judged = evaluate(read_set(write(tmp_path, grades=grades, meta={"judged_only": True})), fixed(scores))
    assert judged.mrr10 == pytest.approx([1])


def test_a_relevant_document_that_the_set_lacks_counts_as_not_found(tmp_path):
    measures = evaluate(read_set(write(tmp_path, grades="q1\ta\t1\nq1\tnowhere\t1\n")), fixed([9, 0, 0, 0]))
    assert measures.recall20 == pytest.approx([0.5])
    assert measures.ndcg10 == pytest.approx([1 / (1 + 1 / math.log2(3))])


def test_blank_lines_marks_of_order_and_repeated_ids_are_read(tmp_path):
    folder = write(tmp_path, grades="\ufeff\r\nq1\ta\t1\r\n\n  \nq1\ta\t3\nunknown\ta\t1\nq2\tc\t-1\n")
    with (folder / "docs.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"id": "a", "text": "another text"}\n{"id": "e", "text": null}\n')
    judged_set = read_set(folder)
    assert judged_set.document_ids == ("a", "b", "c", "d", "e")
    assert judged_set.documents[0] == DOCUMENTS["a"]
    assert judged_set.documents[4] == ""
    assert judged_set.grades == ({0: 3.0}, {2: -1.0}, {})
    assert judged_set.judged == (0,)


@pytest.mark.parametrize("heading", ["query-id\tcorpus-id\tscore", "\ufeffquery\tdocument\tGrade\r"])
def test_names_of_columns_above_the_judgements_are_passed_over(tmp_path, heading):
    judged_set = read_set(write(tmp_path, grades=f"{heading}\nq1\ta\t1\n"))
    assert judged_set.grades[0] == {0: 1.0}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("docs.jsonl", "{not json", "docs.jsonl, line 1"),
        ("docs.jsonl", "[" * 100_000, "docs.jsonl, line 1"),
        ("qrels.tsv", "q1\ta\t1\nquery\tdocument\tgrade", "qrels.tsv, line 2"),
        ("qrels.tsv", "query\tdocument\tgood", "qrels.tsv, line 1"),
        ("queries.jsonl", '{"id": "q1"}', "queries.jsonl, line 1"),
        ("qrels.tsv", "q1 a 1", "qrels.tsv, line 1"),
        ("qrels.tsv", "q1\ta\t1\nq1\ta\tnan", "qrels.tsv, line 2"),
        ("meta.json", "{", "meta.json"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(tmp_path, name, content, said):
    write(tmp_path)
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(BadSetError, match=said):
        read_set(tmp_path)


@pytest.mark.parametrize("name", ["docs.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(tmp_path, name):
    write(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadSetError, match=f"{name} is missing"):
        read_set(tmp_path)


def test_a_set_in_which_nothing_can_be_found_is_refused(tmp_path):
    with pytest.raises(BadSetError, match="no query"):
        evaluate(read_set(write(tmp_path, grades="q1\ta\t0\n")))


def test_the_shipped_configuration_puts_the_answer_first(tmp_path):
    measures = evaluate(read_set(write(tmp_path, grades="q1\ta\t1\nq2\tc\t1\n")))
    assert measures.mrr10.tolist() == [1, 1]
    assert measures.ms_per_query > 0


def test_another_name_for_the_same_thing_finds_it():
    answer = shipped(["精密培林。", "精密齿轮。", "精密模具。"])
    assert answer("轴承").argmax() == 0
    assert answer("PCB").tolist() == [0, 0, 0]
    assert shipped(["食品包装", "线路板"])("PCB").argmax() == 1


def test_one_branch_of_industry_is_nearer_than_another():
    answer = shipped(["商业银行个人贷款业务", "锦纶切片与聚酯切片", "公路收费"])
    assert answer("涤纶长丝").argmax() == 1


def test_the_interval_of_a_difference_holds_it_and_narrows_with_more_queries():
    random = np.random.default_rng(1)
    ours, theirs = random.random(400), random.random(400)
    few, many = difference(ours[:40], theirs[:40]), difference(ours, theirs)
    assert few.low < few.value < few.high
    assert many.high - many.low < few.high - few.low
    assert difference(ours, ours) == difference(theirs, theirs)
    assert difference(ours, ours).high == 0


def test_a_ratio_of_means_is_paired_by_query():
    ours = np.array([0.2, 0.4, 0.9])
    doubled = ratio_of_means([(ours * 2, ours), (ours * 2, ours)])
    assert (doubled.value, doubled.low, doubled.high) == pytest.approx((2, 2, 2))
