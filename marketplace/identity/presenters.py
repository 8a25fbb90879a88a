"""Sessions in words: what somebody signed in with, and from where."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from marketplace.identity.models import UserSession
from marketplace.kernel.texts import N_

# The first that fits: browsers name those whose engine they share after their own name.
BROWSERS = (
    ("MicroMessenger", N_("微信")),
    ("DingTalk", N_("钉钉")),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("QQBrowser", N_("QQ 浏览器")),
    ("HuaweiBrowser", N_("华为浏览器")),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_MASKED = re.compile(r"[0-9a-f.:]+\*")


def device_in_words(user_agent: str) -> str:
    """Browser and system; what says neither is an unknown device."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (_(browser) if browser else "", system) if part) or _("未知设备")


def masked(address: str) -> str:
    """An address without its last part: enough to recognise a place, too little to follow a person."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv4Address):
        return f"{str(ip).rpartition('.')[0]}.*"
    return ":".join(ip.exploded.split(":")[:3]) + ":*"


def place_in_words(address: str) -> str:
    """Where a masked address lies: this machine, a network of one's own, or the internet."""
    if not _MASKED.fullmatch(address):
        return str(_("未知位置"))
    first = address[:-1].rstrip(".:")
    whole = f"{first}.1" if "." in first else f"{first}::1"
    ip = ipaddress.ip_address("::1" if first == "0000:0000:0000" else whole)
    if ip.is_loopback:
        return str(_("本机"))
    if ip.is_private:
        return str(_("内部网络 %(address)s", address=address))
    return str(_("互联网 %(address)s", address=address))


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One signed-in browser as its owner sees it."""

    id: int
    device: str
    place: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


def session_line(session: UserSession, *, current_id: int) -> SessionLine:
    return SessionLine(
        id=session.id,
        device=device_in_words(session.user_agent),
        place=place_in_words(session.address),
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        is_current=session.id == current_id,
    )
