"""What is done with files: taken in, attached to an owner, removed, swept.

`take_in` writes to the disk and stands outside any transaction; `attach` and `remove` write the rows and the
audit in the caller's. Not here: counting attempts and cleaning up after a failure (`intake`).
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from flask import current_app

from marketplace.attachments import owners, queries, store
from marketplace.attachments.inspection import Unfit, inspect
from marketplace.attachments.kinds import EXTENSIONS, FileKind
from marketplace.attachments.models import Attachment
from marketplace.attachments.owners import Owner
from marketplace.attachments.rules import (
    MB,
    MOST_PER_UPLOAD,
    Purpose,
    clean_name,
    count_obstacles,
    extension_of,
    megabytes,
    quota_obstacles,
)
from marketplace.audit.services import record
from marketplace.kernel.actor import SYSTEM, Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_


class Incoming(Protocol):
    """A file as a request brings it; werkzeug's FileStorage is one."""

    filename: str | None
    stream: Any


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was found fit and lies on the disk, and is not yet anybody's."""

    key: str
    name: str
    kind: FileKind
    size: int
    sha256: str


class RefusedFiles(Obstructed):
    """Some of the files are not taken, and so none is. `status` is that of the gravest refusal."""

    def __init__(self, obstacles: Iterable[Obstacle], *, status: int = 422) -> None:
        super().__init__(obstacles)
        self.status = status


def take_in(files: Iterable[Incoming], *, purpose: Purpose, field: str = "files") -> list[Upload]:
    """Look at every file, and keep them all or none. Raises RefusedFiles with what is wrong with each."""
    chosen = [file for file in files if file.filename or _size_of(file.stream)]
    if not chosen:
        raise RefusedFiles([Obstacle(field, N_("请选择要上传的文件"))])
    if len(chosen) > MOST_PER_UPLOAD:
        raise RefusedFiles(count_obstacles(purpose, standing=0, coming=len(chosen)))
    refusals: list[tuple[int, Obstacle]] = []
    fit: list[tuple[Incoming, str, FileKind]] = []
    for file in chosen:
        name = clean_name(file.filename or "")
        try:
            fit.append((file, name, _judge(name, file.stream, purpose)))
        except Unfit as unfit:
            shown = name or (file.filename or "")[:60]
            refusals.append((unfit.status, Obstacle(field, unfit.message, {**unfit.params, "file": shown})))
    if refusals:
        raise RefusedFiles([refusal for _, refusal in refusals], status=refusals[0][0])
    uploads: list[Upload] = []
    try:
        for file, name, kind in fit:
            stored = store.write(file.stream)
            uploads.append(Upload(stored.key, name, kind, stored.size, stored.sha256))
    except BaseException:
        discard(uploads)
        raise
    return uploads


def discard(uploads: Iterable[Upload]) -> None:
    """Take files away that have not become anybody's."""
    for upload in uploads:
        store.delete(upload.key)


def _size_of(stream: BinaryIO) -> int:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _judge(name: str, stream: BinaryIO, purpose: Purpose) -> FileKind:
    if not name:
        raise Unfit(N_("“%(file)s”：文件没有可用的名称，请改名后上传"))
    kind = EXTENSIONS.get(extension_of(name))
    if kind not in purpose.kinds or kind is None:
        allowed = listed(one.value for one in purpose.kinds)
        raise Unfit(N_("“%(file)s”：不支持这种文件，只接收 %(allowed)s"), {"allowed": allowed}, status=415)
    size, most = _size_of(stream), purpose.most_bytes_of(kind)
    if size == 0:
        raise Unfit(N_("“%(file)s”：文件是空的"))
    if size > most:
        raise Unfit(
            N_("“%(file)s”：文件为 %(size)s MB，%(kind)s 文件最大 %(limit)s MB"),
            {"size": megabytes(size), "kind": kind.value, "limit": megabytes(most)},
            status=413,
        )
    inspect(stream, kind)
    return kind


def attach(
    owner_kind: str,
    owner_id: int,
    purpose_name: str,
    uploads: Sequence[Upload],
    *,
    by: Actor,
    now: datetime,
) -> list[Attachment]:
    """Make the files those of an owner. Raises NotFound where the owner is not the actor's to write."""
    rule, owner, purpose = _writable(owner_kind, owner_id, purpose_name, by)
    obstacles = list(
        count_obstacles(
            purpose,
            standing=queries.count_for(owner_kind, owner_id, purpose_name),
            coming=len(uploads),
        )
    )
    if owner.organisation_id is not None:
        obstacles += quota_obstacles(
            used=queries.bytes_used(owner.organisation_id),
            coming=sum(upload.size for upload in uploads),
            quota=current_app.config["FILE_QUOTA_MB"] * MB,
        )
    if obstacles:
        raise RefusedFiles(obstacles)
    made = [
        Attachment(
            key=upload.key,
            owner_kind=owner_kind,
            owner_id=owner_id,
            purpose=purpose_name,
            organisation_id=owner.organisation_id,
            name=upload.name,
            kind=upload.kind,
            size=upload.size,
            sha256=upload.sha256,
            confidential=purpose.confidential,
            uploaded_by_id=by.user_id,
            uploaded_at=now,
        )
        for upload in uploads
    ]
    db.session.add_all(made)
    db.session.flush()
    for attachment in made:
        _note("attach", attachment, by=by, now=now)
    rule.changed(owner_id, purpose_name, by=by, now=now)
    return made


def remove(attachment: Attachment, *, by: Actor, now: datetime) -> None:
    """Take the row away; its file goes once that is committed."""
    rule, _owner, _purpose = _writable(attachment.owner_kind, attachment.owner_id, attachment.purpose, by)
    _note("remove", attachment, by=by, now=now)
    db.session.delete(attachment)
    db.session.flush()
    rule.changed(attachment.owner_id, attachment.purpose, by=by, now=now)


def note_download(attachment: Attachment, *, by: Actor, now: datetime) -> None:
    """Who took a confidential file is on record."""
    _note("download", attachment, by=by, now=now)


def remove_lost(attachments: Iterable[Attachment], *, now: datetime) -> None:
    """Take away the rows of owners that are no more."""
    for attachment in attachments:
        _note("sweep", attachment, by=SYSTEM, now=now)
        db.session.delete(attachment)


def _writable(
    owner_kind: str, owner_id: int, purpose_name: str, by: Actor
) -> tuple[owners.OwnerRule, Owner, Purpose]:
    rule = owners.rule_for(owner_kind)
    purpose = rule.purpose(purpose_name)
    owner = rule.find(owner_id)
    if owner is None or not rule.may_write(owner_id, purpose_name, by):
        raise NotFound(f"{owner_kind} {owner_id}")
    return rule, owner, purpose


def _note(action: str, attachment: Attachment, *, by: Actor, now: datetime) -> None:
    open_detail = {"name": attachment.name, "size": attachment.size, "sha256": attachment.sha256}
    record(
        f"attachment.{action}",
        "attachment",
        attachment.id,
        by=by,
        at=now,
        # The trail is read by others: of a confidential file it knows that there was one.
        label="" if attachment.confidential else attachment.name,
        organisation_id=attachment.organisation_id,
        detail={
            "owner": f"{attachment.owner_kind} {attachment.owner_id}",
            "purpose": attachment.purpose,
            **({} if attachment.confidential else open_detail),
        },
    )


__all__ = [
    "Incoming", "RefusedFiles", "Upload", "attach", "discard", "note_download", "remove", "remove_lost",
    "take_in",
]  # fmt: skip
