"""Addresses that come in with a request or a row and are about to be followed."""

from urllib.parse import urlsplit


def own_path(address: str) -> str | None:
    """`address` if it is a path on this site, else None: nobody is led elsewhere by us."""
    if not address.startswith("/") or address.startswith("//") or len(address) > 500:
        return None
    if "\\" in address or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in address):
        return None
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc else None
