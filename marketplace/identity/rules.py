"""What may be a password. Plain Python."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
FEWEST_CHARACTERS = 5
COMMON_PASSWORDS = Path(__file__).parent / "data" / "common_passwords.txt"


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    return frozenset(COMMON_PASSWORDS.read_text(encoding="utf-8").split())


def obstacles_to_password(
    password: str, *, name: str, email: str, field: str = "password"
) -> Iterator[Obstacle]:
    """Length and guessability; no rule about kinds of characters, which only makes people write them down."""
    length, folded = len(password), password.casefold()
    if length < SHORTEST_PASSWORD:
        yield Obstacle(
            field,
            N_("密码至少 %(least)s 个字符，现有 %(count)s 个"),
            {"least": SHORTEST_PASSWORD, "count": length},
        )
    if length > LONGEST_PASSWORD:
        yield Obstacle(
            field,
            N_("密码最多 %(most)s 个字符，现有 %(count)s 个"),
            {"most": LONGEST_PASSWORD, "count": length},
        )
    if folded in common_passwords() or 0 < len(set(folded)) < FEWEST_CHARACTERS:
        yield Obstacle(field, N_("密码过于常见，请换一个不易猜到的"))
    if any(part in folded for part in _telling_parts(name, email)):
        yield Obstacle(field, N_("密码不能包含您的姓名或邮箱名"))


def _telling_parts(name: str, email: str) -> Iterator[str]:
    """What gives a password away when it is in it; a single Latin letter or two would hit by chance."""
    plain_name = re.sub(r"\s", "", name).casefold()
    if len(plain_name) > 2 or (len(plain_name) == 2 and not plain_name.isascii()):
        yield plain_name
    local = email.partition("@")[0].casefold()
    if len(local) > 2:
        yield local
