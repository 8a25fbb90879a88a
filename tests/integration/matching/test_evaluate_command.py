"""`flask match evaluate`: the keys a script reads, the lines a person reads, and what a wrong folder says."""

import json

import pytest


@pytest.fixture
def folder(tmp_path):
    texts = {
        "docs": {"a": "镁合金压铸件，薄壁，耐腐蚀。", "b": "柑橘冷链物流。", "c": "谐波减速器，机器人关节。"},
        "queries": {"q1": "机器人减速器", "q2": "没有人判断过"},
    }
    for name, rows in texts.items():
        lines = [json.dumps({"id": id, "text": text}, ensure_ascii=False) for id, text in rows.items()]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("q1\tc\t1\n", encoding="utf-8")
    return tmp_path


def test_the_command_measures_a_folder_for_scripts_and_for_people(app, folder):
    cli = app.test_cli_runner()
    done = cli.invoke(args=["match", "evaluate", "--set", str(folder), "--format", "json"])
    assert done.exit_code == 0, done.output
    means = json.loads(done.output)
    assert list(means) == ["ndcg10", "recall20", "mrr10", "ms_per_query"]
    assert (means["ndcg10"], means["recall20"], means["mrr10"]) == (1, 1, 1)
    assert means["ms_per_query"] > 0
    told = cli.invoke(args=["match", "evaluate", "--set", str(folder)]).output
    assert "nDCG@10     1.0000" in told
    assert "skipped     1" in told


def test_a_folder_that_is_no_judged_set_ends_with_the_reason(app, folder):
    (folder / "qrels.tsv").unlink()
    cli = app.test_cli_runner()
    done = cli.invoke(args=["match", "evaluate", "--set", str(folder)])
    assert done.exit_code == 1
    assert "qrels.tsv is missing" in done.output
    assert cli.invoke(args=["match", "evaluate", "--set", str(folder / "nowhere")]).exit_code == 2
