"""Passwords and the way on after signing in."""

import pytest

from marketplace.identity.rules import obstacles_to_password
from marketplace.kernel.paths import own_path

PERSON = {"name": "廖启航", "email": "liao.qh@example.com"}


@pytest.mark.parametrize(
    ("password", "messages"),
    [
        ("短", ["密码至少 %(least)s 个字符，现有 %(count)s 个", "密码过于常见，请换一个不易猜到的"]),
        ("correct1234", ["密码至少 %(least)s 个字符，现有 %(count)s 个"]),
        ("长" * 50 + "abcdefgh" * 10, ["密码最多 %(most)s 个字符，现有 %(count)s 个"]),
        ("Password1234", ["密码过于常见，请换一个不易猜到的"]),
        ("aaaaaaaaaaaaaaaa", ["密码过于常见，请换一个不易猜到的"]),
        ("LIAO.QH-和三棵松树", ["密码不能包含您的姓名或邮箱名"]),
        ("我是廖启航没错吧十二个字", ["密码不能包含您的姓名或邮箱名"]),
    ],
)
def test_unfit_passwords_are_refused_with_a_reason(password: str, messages: list[str]) -> None:
    assert [o.message for o in obstacles_to_password(password, **PERSON)] == messages


@pytest.mark.parametrize(
    "password", ["三棵松树与一台压铸机", "correct horse battery", "🙂" * 3 + "九个字再来三个"]
)
def test_long_and_unlikely_ones_are_fine_whatever_their_characters(password: str) -> None:
    fit = password if len(password) >= 12 else password + "，很好很好"
    assert list(obstacles_to_password(fit, **PERSON)) == []


def test_a_short_latin_name_does_not_hit_by_chance() -> None:
    assert list(obstacles_to_password("correct horse battery", name="Ho", email="ho@example.com")) == []


@pytest.mark.parametrize("address", ["/workbench", "/challenges?q=压铸&page=2", "/a#b"])
def test_paths_on_this_site_are_followed(address: str) -> None:
    assert own_path(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\nb",
        " /a",
        "/" + "a" * 600,
        "evil.example/a",
    ],
)
def test_no_other_address_is_followed(address: str) -> None:
    assert own_path(address) is None
