"""What the demonstration says, read from the TOML files beside this module into the features' own drafts.

Days in the files count from the day of loading. Not here: who does what when (`stories`), nor anything
that touches the database; the ranking tests read the content through this module as well.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from stdnum.cn import uscc

from marketplace.capabilities.kinds import CapabilityKind, IpStatus, Maturity
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.rules import CapabilityDraft, CertificateDraft
from marketplace.challenges.kinds import Activity, Board, IpTerms, Publicity
from marketplace.challenges.rules import ChallengeDraft
from marketplace.indicators.model import Indicator
from marketplace.kernel.money import FEN_PER_WAN, FEN_PER_YUAN
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.rules import NeedDraft
from marketplace.organisations.kinds import DesignationKind, OrganisationKind, OrganisationSize
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.rules import DesignationDraft, OrganisationDraft

FOLDER = Path(__file__).parent
_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    key: str
    state: OrganisationStatus
    draft: OrganisationDraft
    reason: str


@dataclass(frozen=True, slots=True)
class ChallengeEntry:
    """`state` is a status of its lifecycle, or "closed" for one that was published and has run out."""

    key: str
    organisation: str
    state: str
    draft: ChallengeDraft
    annex: str
    reason: str
    return_reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NeedEntry:
    key: str
    state: NeedStatus
    draft: NeedDraft
    reason: str


@dataclass(frozen=True, slots=True)
class NeedListEntry:
    key: str
    organisation: str
    title: str
    note: str
    needs: tuple[NeedEntry, ...]


@dataclass(frozen=True, slots=True)
class CapabilityEntry:
    key: str
    organisation: str
    state: CapabilityStatus
    draft: CapabilityDraft
    reason: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """Which capabilities an expert would look for near the top for one seeker, and which only sound alike."""

    seeker: str
    partners: tuple[str, ...]
    near_misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    organisations: tuple[OrganisationEntry, ...]
    challenges: tuple[ChallengeEntry, ...]
    need_lists: tuple[NeedListEntry, ...]
    capabilities: tuple[CapabilityEntry, ...]


def read_content(today: date) -> Content:
    """Everything, with days counted from `today` in Shanghai. Raises ValueError or KeyError on a bad file."""
    organisations = [_organisation(table, today) for table in _tables("organisation", "organisations*.toml")]
    regions = {entry.key: entry.draft.region or "" for entry in organisations}
    return Content(
        organisations=tuple(organisations),
        challenges=tuple(_challenge(table, today) for table in _tables("challenge", "challenges.toml")),
        need_lists=tuple(_need_list(table, today) for table in _tables("need_list", "needs.toml")),
        capabilities=tuple(
            _capability(table, today, regions) for table in _tables("capability", "capabilities_*.toml")
        ),
    )


def read_expectations() -> list[Expectation]:
    """What experts expect of the ranking; for tests, never for the marketplace."""
    return [
        Expectation(
            table.get("challenge") or table["need"], tuple(table["partners"]), tuple(table["near_misses"])
        )
        for table in _tables("expected", "partners_*.toml")
    ]


def read_table(file: str, name: str) -> list[Table]:
    """The tables of one name in one of the files, for what other modules of the demonstration tell."""
    return list(_tables(name, file))


def _tables(name: str, pattern: str) -> Iterator[Table]:
    for path in sorted(FOLDER.glob(pattern)):
        yield from _read(path)[name]


@lru_cache(maxsize=16)
def _read(path: Path) -> Table:
    with path.open("rb") as file:
        return tomllib.load(file)


def _organisation(table: Table, today: date) -> OrganisationEntry:
    key, kind = table["key"], OrganisationKind(table["kind"])
    values = _plain_values(OrganisationDraft, table) | {
        "kind": kind,
        "size": OrganisationSize(table["size"]) if "size" in table else None,
        "uscc": made_up_code(key, kind, table["region"]),
        "contact_phone": _made_up_phone(key),
        "contact_email": f"contact@{key}.example.com",
        "designations": tuple(
            DesignationDraft(
                DesignationKind(one["kind"]), one["number"], one["issuer"], valid_to=_valid_to(one, today)
            )
            for one in table["designations"]
        ),
    }
    return OrganisationEntry(
        key,
        OrganisationStatus(table.get("state", "verified")),
        OrganisationDraft(**values),
        table.get("reason", ""),
    )


def made_up_code(key: str, kind: OrganisationKind, region: str) -> str:
    """A 统一社会信用代码 that is well formed and the same on every load."""
    registered_by = "91" if kind is OrganisationKind.ENTERPRISE else "12"
    # "X" opens no body code that is in use.
    body = "X" + "".join(_CODE_CHARACTERS[byte % len(_CODE_CHARACTERS)] for byte in _digest(key)[:8])
    number = f"{registered_by}{region}{body}"
    return f"{number}{uscc.calc_check_digit(number)}"


def _made_up_phone(key: str) -> str:
    """A number of a block that no exchange hands out."""
    return f"023-{int.from_bytes(_digest(key)[8:12], 'big') % 10_000_000:08d}"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _challenge(table: Table, today: date) -> ChallengeEntry:
    values = _plain_values(ChallengeDraft, table) | {
        "board": Board(table["board"]),
        "activity": Activity(table["activity"]),
        "ip_terms": IpTerms(table["ip_terms"]),
        # Writing the annex is what makes a challenge partly public.
        "publicity": Publicity.PUBLIC,
        "budget_fen": table["budget_wan"] * FEN_PER_WAN if "budget_wan" in table else None,
        "closes_on": today + timedelta(days=table["closes_in_days"]),
        "contact_phone": _made_up_phone(table["organisation"]),
        "indicators": _indicators(table["indicator"]),
    }
    return ChallengeEntry(
        key=table["key"],
        organisation=table["organisation"],
        state=table["state"],
        draft=ChallengeDraft(**values),
        annex=table.get("confidential_annex", ""),
        reason=table.get("reason", ""),
        return_reasons=table.get("return_reasons", {}),
    )


def _need_list(table: Table, today: date) -> NeedListEntry:
    return NeedListEntry(
        key=table["key"],
        organisation=table["organisation"],
        title=table["title"],
        note=table["note"],
        needs=tuple(_need(line, today) for line in table["need"]),
    )


def _need(table: Table, today: date) -> NeedEntry:
    values = _plain_values(NeedDraft, table) | {
        "title": table["item"],
        "quantity": Decimal(table["quantity"]),
        "region": table["delivery_place"],
        "delivery_on": today + timedelta(days=table["delivery_in_days"]),
        "valid_until": today + timedelta(days=table["valid_in_days"]),
        "max_price_fen": _fen(table["max_price_yuan"]),
        "indicators": _indicators(table["indicator"]),
    }
    return NeedEntry(table["key"], NeedStatus(table["state"]), NeedDraft(**values), table.get("reason", ""))


def _capability(table: Table, today: date, regions: Mapping[str, str]) -> CapabilityEntry:
    values = _plain_values(CapabilityDraft, table) | {
        "kind": CapabilityKind(table["kind"]),
        "maturity": Maturity(table["maturity"]),
        "ip_status": IpStatus(table["ip_status"]),
        "region": regions[table["organisation"]],
        "parameters": _indicators(table.get("parameter", ())),
        "certificates": tuple(
            CertificateDraft(one["name"], one["number"], _valid_to(one, today))
            for one in table["certificates"]
        ),
    }
    return CapabilityEntry(
        table["key"],
        table["organisation"],
        CapabilityStatus(table["state"]),
        CapabilityDraft(**values),
        table.get("reason", ""),
    )


def _plain_values(draft: type, table: Table) -> dict[str, Any]:
    """What a table says in the draft's own words, lists made tuples."""
    named = {field.name for field in fields(draft)} & table.keys()
    return {name: tuple(v) if isinstance(v := table[name], list) else v for name in named}


def _indicators(tables: Sequence[Table]) -> tuple[Indicator, ...]:
    return tuple(Indicator.from_dict(table) for table in tables)


def _valid_to(table: Table, today: date) -> date | None:
    return today + timedelta(days=table["valid_in_days"]) if "valid_in_days" in table else None


def _fen(yuan: str) -> int | None:
    """Prices are written in 元; an empty one is no ceiling."""
    return int(Decimal(yuan) * FEN_PER_YUAN) if yuan else None
