"""Import files: what is good comes in, what is not is named by line and field."""

import json
from pathlib import Path
from typing import Any

import pytest

from marketplace.exchange.entries import CollectedEntry, EntryKind
from marketplace.exchange.readers import read_jsonl
from marketplace.exchange.withholding import withheld_stretches


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "X1",
        "kind": "challenge",
        "title": "薄壁件颤振抑制",
        "text": "铣削时振纹明显。",
        "org": "虚构精密公司",
        **changes,
    }


def written(path: Path, *lines: Any) -> Path:
    file = path / "entries.jsonl"
    text = "\n".join(
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    )
    file.write_text(text, encoding="utf-8")
    return file


def test_good_lines_are_read_and_blank_ones_passed_over(tmp_path: Path) -> None:
    reading = read_jsonl(written(tmp_path, entry(), "", entry(id="X2", kind="supply_need")))
    assert not reading.errors
    assert [e.kind for e in reading.entries] == [EntryKind.CHALLENGE, EntryKind.SUPPLY_NEED]


def test_a_byte_order_mark_does_not_hurt(tmp_path: Path) -> None:
    file = tmp_path / "bom.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(entry()).encode())
    assert len(read_jsonl(file).entries) == 1


@pytest.mark.parametrize(
    ("line", "field", "says"),
    [
        (entry(title=""), "title", "至少 1 字"),
        (entry(title="长" * 201), "title", "最多 200 字"),
        (entry(kind="wish"), "kind", "之一"),
        (entry(surprise=1), "surprise", "不认识"),
        (entry(text="a\x00b"), "text", "控制字符"),
        (entry(org=7), "org", "应为文本"),
        ("{", "整行", "JSON"),
        ("[]", "整行", "对象"),
        ('{"id": NaN}', "整行", "NaN"),
        ("[" * 100_000, "整行", "JSON"),
    ],
)
def test_each_error_names_line_and_field(tmp_path: Path, line: Any, field: str, says: str) -> None:
    reading = read_jsonl(written(tmp_path, entry(id="X0"), line))
    assert [(e.line, e.field) for e in reading.errors] == [(2, field)]
    assert says in reading.errors[0].message


def test_missing_fields_are_all_named_at_once(tmp_path: Path) -> None:
    reading = read_jsonl(written(tmp_path, {"id": "X1", "kind": "challenge"}))
    assert {e.field for e in reading.errors} == {"title", "org"}


def test_an_id_used_twice_is_an_error(tmp_path: Path) -> None:
    reading = read_jsonl(written(tmp_path, entry(), entry()))
    assert [(e.line, e.field) for e in reading.errors] == [(2, "id")]


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    file = tmp_path / "gb.jsonl"
    file.write_bytes(json.dumps(entry(), ensure_ascii=False).encode("gb18030"))
    assert "UTF-8" in read_jsonl(file).errors[0].message


def parsed(**changes: Any) -> CollectedEntry:
    return CollectedEntry.model_validate(entry(**changes))


def test_an_entry_without_a_body_is_flagged() -> None:
    assert parsed(text="薄壁件颤振抑制").title_only
    assert parsed(text="").title_only
    assert not parsed().title_only


def test_who_took_a_challenge_up_is_not_its_seeker() -> None:
    assert parsed(org="建材协会(发榜) / 甲公司+乙所(揭榜)").seeker_name == "建材协会"
    assert parsed(org="甲公司（揭榜）").seeker_name == "甲公司"


def test_sentences_that_tell_of_solving_are_withheld() -> None:
    told = parsed(text="产线依赖进口设备。第二天就收到了某实验室李教授团队的回应。")
    assert withheld_stretches([told])["X1"] == ["第二天就收到了某实验室李教授团队的回应。"]


def test_names_of_the_parties_of_one_report_are_withheld_from_each_other() -> None:
    seeker = parsed(org="渝江衡准仪表有限公司", source_title="报道甲", text="渝江衡准的表壳划痕靠人眼看。")
    solver = parsed(id="X2", kind="capability", source_title="报道甲", text="为渝江衡准建了表壳检测线。")
    stretches = withheld_stretches([seeker, solver])
    assert stretches["X1"] == ["渝江衡准"]
    assert stretches["X2"] == ["渝江衡准"]


def test_a_common_word_that_begins_a_name_is_not_withheld() -> None:
    rows = [
        parsed(id=f"X{n}", org="智能制造系", source_title="同一来源", text="智能制造车间改造")
        for n in range(9)
    ]
    assert withheld_stretches(rows) == {}
