"""What people do with a file on its way in: hand it over, assign its columns, accept or drop it.

Each act changes the import's row and asks for the work; the reading and the taking over are jobs' (`jobs`).
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, cast

from sqlalchemy import CursorResult, func, select, update

from marketplace.audit.services import record
from marketplace.exchange.cells import printable
from marketplace.exchange.faults import Unreadable
from marketplace.exchange.mapping import digest_of, is_valid
from marketplace.exchange.models import ColumnMapping, ImportStatus, StagedImport
from marketplace.exchange.sheets import LARGEST_FILE, format_of
from marketplace.exchange.staging import folder
from marketplace.exchange.targets import Target, target_for
from marketplace.identity.models import User
from marketplace.kernel.actor import Actor, OrganisationRole, PlatformRole
from marketplace.kernel.db import db, insert_into
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstacle, Obstructed
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Membership, MembershipStatus, Organisation

S = ImportStatus
# While the machine is at it; what people wait for.
WORKING = (S.RECEIVED, S.CHECKING, S.APPLYING)
# What may still be changed, accepted or dropped.
OPEN = (S.RECEIVED, S.UPLOADED, S.CHECKING, S.CHECKED, S.FAULTY)
MOST_OPEN = 10
# No row of a file has this number.
UNKNOWN = -1
KEPT_FOR = timedelta(days=3)
COMMAND_LINE = "命令行操作员"
LARGE = 5_000
_PIECE = 256 * 1024


def store_file(stream: IO[bytes]) -> tuple[str, int, str]:
    """Keep an upload as (name in our folder, size, SHA-256); raises Unreadable for one too large or empty."""
    name = secrets.token_hex(16)
    path = folder() / name
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("xb") as file:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > LARGEST_FILE:
                    raise Unreadable(N_("文件最大 %(limit)s MB"), {"limit": LARGEST_FILE // 1024 // 1024})
                digest.update(piece)
                file.write(piece)
        if size == 0:
            raise Unreadable(N_("文件是空的"))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return name, size, digest.hexdigest()


def file_name_from(raw: str) -> str:
    """The last part of whatever path a browser sent, as it can be shown."""
    last = raw.replace("\\", "/").rpartition("/")[2]
    return printable(last, 200).replace("\n", " ").replace("\t", " ").strip() or "file"


def receive(
    target: Target,
    *,
    file_name: str,
    stored: tuple[str, int, str],
    scope_id: int | None,
    by: Actor,
    now: datetime,
    deferred: bool = True,
) -> StagedImport:
    """Take a stored file on and have it looked at; a command, which looks itself, says `deferred=False`."""
    if not target.may_start(by):
        raise Forbidden(f"exchange.import {target.kind}")
    scopes = dict(target.scopes(by))
    if scopes and scope_id not in scopes:
        raise Obstructed([Obstacle("scope", N_("请选择要导入到哪里"))])
    waiting = db.session.scalar(
        select(func.count())
        .select_from(StagedImport)
        .where(StagedImport.user_id == by.user_id, StagedImport.status.in_(OPEN))
    )
    if (waiting or 0) >= MOST_OPEN:
        raise Obstructed(
            [Obstacle("file", N_("已有 %(count)s 个文件在等待，请先导入或取消"), {"count": MOST_OPEN})]
        )
    name, size, sha256 = stored
    staged = StagedImport(
        kind=target.kind,
        organisation_id=None if by.is_operator or by.is_system else by.organisation_id,
        scope_id=scope_id if scopes else None,
        user_id=by.user_id,
        user_name=by.name[:120],
        status=S.RECEIVED,
        file_name=file_name_from(file_name),
        format=format_of(file_name),
        size=size,
        sha256=sha256,
        stored_name=name,
        header_row=UNKNOWN,
        created_at=now,
        updated_at=now,
        expires_at=now + KEPT_FOR,
    )
    db.session.add(staged)
    db.session.flush()
    _record("exchange.upload", staged, by=by, now=now)
    if deferred:
        defer("exchange.inspect", subject_id=staged.id)
    return staged


def assign_columns(
    staged: StagedImport,
    *,
    sheet: str,
    header_row: int,
    mapping: Sequence[str],
    by: Actor,
    now: datetime,
) -> None:
    """Say which column is which, and have the file checked; another sheet or heading is looked at first."""
    _require(staged, S.UPLOADED, S.CHECKED, S.FAULTY)
    target = target_for(staged.kind)
    if (sheet and sheet != staged.sheet) or header_row != staged.header_row:
        if sheet and sheet not in staged.sheets:
            raise Obstructed([Obstacle("sheet", N_("请从列表中选择工作表"))])
        _move(staged, S.RECEIVED, sheet=sheet or staged.sheet, header_row=header_row, now=now)
        defer("exchange.inspect", subject_id=staged.id, payload={"ask": True})
        return
    if not is_valid(mapping, target.columns, len(staged.headings)):
        raise Obstructed([Obstacle("mapping", N_("每一列只能对应一项，且不能重复"))])
    named = {name.partition(":")[0] for name in mapping if name}
    missing = [column for column in target.columns if column.required and column.name not in named]
    if missing:
        raise Obstructed(
            Obstacle("mapping", N_("没有一列对应“%(label)s”，该项必填"), {"label": column.label})
            for column in missing
        )
    remember(staged, mapping, by=by, now=now)
    ask_for_check(staged, mapping=list(mapping), now=now)


def ask_for_check(staged: StagedImport, *, mapping: list[str], now: datetime, message: str = "") -> None:
    """Have the file read and compared, from the beginning."""
    _move(staged, S.CHECKING, mapping=mapping, done=0, error_count=0, counts={}, message=message, now=now)
    defer("exchange.check", subject_id=staged.id, bulk=staged.rows > LARGE)


def remember(staged: StagedImport, mapping: Sequence[str], *, by: Actor, now: datetime) -> None:
    """Keep what was chosen for the next file with these headings."""
    if by.user_id is None:
        return
    known_by = {"user_id": by.user_id, "kind": staged.kind, "headings_digest": digest_of(staged.headings)}
    chosen = {"mapping": list(mapping), "updated_at": now}
    db.session.execute(
        insert_into(ColumnMapping)
        .values(**known_by, **chosen)
        .on_conflict_do_update(index_elements=list(known_by), set_=chosen)
    )


def accept(staged: StagedImport, *, withdraw_missing: bool, by: Actor, now: datetime) -> None:
    """Have what the preview shows taken over."""
    _require(staged, S.CHECKED)
    counts = staged.counts
    missing = withdraw_missing and bool(counts.get("missing"))
    if not (counts.get("new") or counts.get("changed") or missing):
        raise Obstructed([Obstacle("file", N_("与现有数据完全相同，没有要导入的内容"))])
    _move(staged, S.APPLYING, withdraw_missing=missing, now=now)
    defer("exchange.apply", subject_id=staged.id)


def cancel(staged: StagedImport, *, by: Actor, now: datetime) -> None:
    """Drop a file; a check that is under way finds its fence gone."""
    _require(staged, *OPEN, S.FAILED)
    _move(staged, S.CANCELLED, now=now)
    _record("exchange.cancel", staged, by=by, now=now)
    defer("exchange.forget", subject_id=staged.id)


def expire(now: datetime) -> int:
    """Inside `transaction()`: drop what nobody has decided on in time; how many."""
    overdue = db.session.scalars(
        select(StagedImport.id).where(
            StagedImport.status.in_((*OPEN, S.FAILED)), StagedImport.expires_at <= now
        )
    ).all()
    for import_id in overdue:
        defer("exchange.forget", subject_id=import_id)
    if overdue:
        db.session.execute(
            update(StagedImport)
            .where(StagedImport.id.in_(overdue))
            .values(status=S.EXPIRED, fence="", updated_at=now),
            execution_options={"synchronize_session": False},
        )
    return len(overdue)


def ask_to_forget(import_id: int) -> None:
    """What was staged is of no use any more once it has been taken over."""
    defer("exchange.forget", subject_id=import_id)


def remove_file(stored_name: str) -> None:
    path: Path = folder() / stored_name
    path.unlink(missing_ok=True)


def actor_of(staged: StagedImport) -> Actor:
    """Who brought the file, with the rights of this moment; raises Forbidden if these are over."""
    if staged.user_id is None:
        return command_line(staged.organisation_id)
    user = db.session.get(User, staged.user_id)
    if user is None or user.disabled_at is not None:
        raise Forbidden("exchange.import")
    actor = Actor(user_id=user.id, name=user.name, platform_role=user.platform_role)
    if staged.organisation_id is not None:
        row = db.session.execute(
            select(Membership.role, Organisation.name, Organisation.status)
            .join(Organisation, Organisation.id == Membership.organisation_id)
            .where(
                Membership.user_id == user.id,
                Membership.organisation_id == staged.organisation_id,
                Membership.status == MembershipStatus.ACTIVE,
            )
        ).one_or_none()
        if row is None:
            raise Forbidden("exchange.import")
        actor = Actor(
            user_id=user.id,
            name=user.name,
            organisation_id=staged.organisation_id,
            organisation_name=row.name,
            organisation_role=row.role,
            organisation_verified=row.status is OrganisationStatus.VERIFIED,
            may_post_challenges=True,
        )
        if not actor.is_editor:
            raise Forbidden("exchange.import")
    elif not actor.is_operator:
        raise Forbidden("exchange.import")
    return actor


def command_line(organisation_id: int | None) -> Actor:
    """Whoever sits at the machine: acts for the platform, or for an organisation that is named."""
    if organisation_id is None:
        return Actor(name=COMMAND_LINE, platform_role=PlatformRole.OPERATOR)
    organisation = db.session.get_one(Organisation, organisation_id)
    return Actor(
        name=COMMAND_LINE,
        organisation_id=organisation_id,
        organisation_name=organisation.name,
        organisation_role=OrganisationRole.EDITOR,
        organisation_verified=organisation.status is OrganisationStatus.VERIFIED,
        may_post_challenges=True,
    )


def get_import(import_id: int, *, actor: Actor) -> StagedImport:
    """One's own or the organisation's file; for the platform's, the operators'. Raises NotFound."""
    found = db.session.get(StagedImport, import_id, populate_existing=True)
    if found is None or not may_see(found, actor):
        raise NotFound(f"import {import_id}")
    return found


def may_see(staged: StagedImport, actor: Actor) -> bool:
    if staged.organisation_id is None:
        return actor.is_operator
    return actor.edits_for(staged.organisation_id)


def list_imports(actor: Actor, *, limit: int = 50) -> list[StagedImport]:
    """The files of the actor's organisation, or the platform's, the newest first."""
    where = (
        StagedImport.organisation_id.is_(None)
        if actor.is_operator
        else StagedImport.organisation_id == (actor.organisation_id or 0)
    )
    return list(
        db.session.scalars(select(StagedImport).where(where).order_by(StagedImport.id.desc()).limit(limit))
    )


def count_waiting(actor: Actor) -> int:
    """Files that wait for the actor's decision."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(StagedImport)
            .where(
                StagedImport.user_id == (actor.user_id or 0),
                StagedImport.status.in_((S.UPLOADED, S.CHECKED, S.FAULTY)),
            )
        )
        or 0
    )


def _require(staged: StagedImport, *statuses: ImportStatus) -> None:
    if staged.status not in statuses:
        raise InvalidTransition("staged_import", staged.status, "/".join(statuses))


def _move(staged: StagedImport, status: ImportStatus, *, now: datetime, **values: object) -> None:
    """Change the status if nobody else has in the meantime; whoever was at it loses the fence."""
    values = {"message_params": {}, "message": "", **values}
    result = db.session.execute(
        update(StagedImport)
        .where(StagedImport.id == staged.id, StagedImport.status == staged.status)
        .values(status=status, fence="", updated_at=now, expires_at=now + KEPT_FOR, **values),
        execution_options={"synchronize_session": False},
    )
    if cast("CursorResult[object]", result).rowcount != 1:
        raise InvalidTransition("staged_import", staged.status, status)
    db.session.refresh(staged)


def _record(type_: str, staged: StagedImport, *, by: Actor, now: datetime) -> None:
    record(
        type_,
        "staged_import",
        staged.id,
        by=by,
        at=now,
        label=staged.file_name,
        organisation_id=staged.organisation_id,
        detail={"kind": staged.kind, "sha256": staged.sha256},
    )
