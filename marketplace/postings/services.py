"""Acts that every posting shares: replacing the rows that hang on it, and telling whom it concerns."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from marketplace.indicators.model import Indicator
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.postings import queries
from marketplace.postings.models import IndicatorColumns


def replace_indicators(
    rows: list[Any], kind: type[IndicatorColumns], indicators: Sequence[Indicator]
) -> None:
    """Make `rows` say what `indicators` say, in their order, rewriting rows that are there."""
    del rows[len(indicators) :]
    for position, indicator in enumerate(indicators):
        columns = {**kind.columns_of(indicator), "position": position}
        if position < len(rows):
            for name, value in columns.items():
                setattr(rows[position], name, value)
        else:
            rows.append(kind(**columns))


def replace_codes(rows: list[Any], kind: Any, codes: Iterable[str]) -> None:
    """Make `rows` of (code) say what `codes` say, keeping rows that stay."""
    wanted = set(codes)
    rows[:] = [row for row in rows if row.code in wanted]
    rows.extend(kind(code=code) for code in sorted(wanted - {row.code for row in rows}))


def tell_taken_down(posting: Any, kind: str, *, path: str, reason: str, now: datetime) -> None:
    """The owner learns what was taken down, why, and that it may be mended and handed in again."""
    send_letter(
        queries.list_member_ids(posting.organisation_id),
        f"{kind}.take_down",
        subject=told(N_("已被下架：%(title)s"), title=posting.title),
        body=told(
            N_(
                "%(number)s 已被平台下架，公众不能再查看。理由：%(reason)s\n"
                "可以修改后重新提交，或写明理由申请恢复。"
            ),
            number=posting.public_no,
            reason=reason,
        ),
        link=path,
        at=now,
    )


def tell_appeal(posting: Any, kind: str, *, path: str, now: datetime) -> None:
    """The operators learn that somebody waits for their decision."""
    send_letter(
        queries.list_operator_ids(),
        f"{kind}.appeal",
        subject=told(N_("申请恢复待复核：%(title)s"), title=posting.title),
        body=told(
            N_("%(name)s对被下架的 %(number)s 申请恢复，请复核。"),
            name=posting.organisation.name,
            number=posting.public_no,
        ),
        link=path,
        at=now,
    )


def tell_decision(posting: Any, kind: str, *, path: str, restored: bool, reason: str, now: datetime) -> None:
    """The owner learns what became of its appeal."""
    outcome = told(N_("已恢复发布") if restored else N_("未予恢复"))
    send_letter(
        queries.list_member_ids(posting.organisation_id),
        f"{kind}.{'restore' if restored else 'reject'}",
        subject=told(N_("%(outcome)s：%(title)s"), outcome=outcome, title=posting.title),
        body=told(N_("%(number)s %(outcome)s。"), number=posting.public_no, outcome=outcome)
        + (told(N_("理由：%(reason)s"), reason=reason) if reason else ""),
        link=path,
        at=now,
    )
