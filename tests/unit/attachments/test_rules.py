"""Names as they are kept, and how many and how large."""

import pytest

from marketplace.attachments.kinds import FileKind
from marketplace.attachments.rules import (
    LONGEST_NAME,
    MB,
    Purpose,
    clean_name,
    count_obstacles,
    extension_of,
    megabytes,
    quota_obstacles,
)

PURPOSE = Purpose("sheet", "产品资料", most_files=3)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("检测报告.pdf", "检测报告.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\报价.pdf", "报价.pdf"),
        ("报价\u202efdp.exe", "报价fdp.exe"),
        ("a\x00b\r\nc.pdf", "abc.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("com1", "_com1"),
        ('a<b>:"c|?*.pdf', "a_b___c___.pdf"),
        ("  空 格 .pdf. ", "空 格 .pdf"),
        ("报价.exe.pdf", "报价.exe.pdf"),
        ("\u202e\u200b", ""),
        ("...", ""),
    ],
)
def test_a_name_is_kept_as_it_can_be_shown(raw: str, kept: str) -> None:
    assert clean_name(raw) == kept


def test_a_long_name_keeps_its_extension() -> None:
    kept = clean_name("长" * 5000 + ".docx")
    assert len(kept) == LONGEST_NAME
    assert extension_of(kept) == "docx"
    assert len(clean_name("长" * 5000)) == LONGEST_NAME


def test_only_the_last_extension_counts() -> None:
    assert extension_of("报价.pdf.EXE") == "exe"
    assert extension_of(".pdf") == extension_of("README") == ""


def test_the_numbers_that_are_refused_are_named() -> None:
    assert not list(count_obstacles(PURPOSE, standing=1, coming=2))
    (full,) = count_obstacles(PURPOSE, standing=2, coming=2)
    assert full.params == {"limit": 3, "standing": 2, "count": 2}
    assert {o.params["limit"] for o in count_obstacles(PURPOSE, standing=0, coming=11)} == {3, 10}
    assert not list(quota_obstacles(used=MB, coming=MB, quota=2 * MB))
    (over,) = quota_obstacles(used=MB, coming=MB + 1, quota=2 * MB)
    assert over.params["limit"] == "2"


def test_images_have_a_limit_of_their_own() -> None:
    assert PURPOSE.most_bytes_of(FileKind.PNG) == 10 * MB
    assert PURPOSE.most_bytes_of(FileKind.PDF) == 20 * MB
    assert Purpose("x", "x", most_bytes=MB).most_bytes_of(FileKind.JPG) == MB
    assert megabytes(20 * MB) == "20"
    assert megabytes(20 * MB + MB // 2) == "20.5"
    assert megabytes(20 * MB + 1) == "20.01"
