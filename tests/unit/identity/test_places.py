"""Where somebody signed in from: enough to recognise a place, too little to follow a person."""

import pytest

from marketplace.identity.presenters import masked


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.*"),
        ("127.0.0.1", "127.0.0.*"),
        ("::ffff:10.1.2.3", "10.1.2.*"),
        ("2001:db8:7:1::9", "2001:0db8:0007:*"),
        ("::1", "0000:0000:0000:*"),
        ("unknown", ""),
        ("", ""),
        ("1.2.3.4, 5.6.7.8", ""),
    ],
)
def test_the_last_part_of_an_address_is_never_kept(address: str, kept: str) -> None:
    assert masked(address) == kept
