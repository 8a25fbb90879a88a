"""What rankings are made by: the weights and the dictionary in force, and how others come into force.

In force is the latest that an operator accepted; where none ever did, what comes with the program. So a new
program brings its own weights and dictionary where nobody chose, and changes nothing where somebody did
(its values can be proposed like any others). Accepting one asks for a new epoch: from that moment on
everything is ranked by it. Not here: how shortlists would move (`preview`), the epochs (`epochs`).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from marketplace.audit.services import record
from marketplace.kernel.actor import SYSTEM, Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, NotFound, Obstacle, Obstructed
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.outbox import OutboxRow, defer
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import reason_gaps
from marketplace.language.dictionary import DEFAULT_DICTIONARY, VERSION_AT_MOST, Dictionary
from marketplace.matching import lifecycle
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, Weights
from marketplace.matching.lifecycle import SettingStatus
from marketplace.matching.models import Corpus, CorpusEpoch, DictionaryVersion, WeightSet

log = logging.getLogger(__name__)

Kind = Literal["weights", "dictionary"]
Content = Weights | Dictionary
Row = WeightSet | DictionaryVersion

REASON_AT_MOST = 1000
_PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class _Sort:
    """What the two kinds of settings differ in."""

    entity: Any  # WeightSet or DictionaryVersion
    life: Lifecycle
    read: Callable[[Mapping[str, Any]], Content]
    shipped: Content


_SORTS: Mapping[str, _Sort] = {
    "weights": _Sort(WeightSet, lifecycle.WEIGHTS, Weights.from_dict, DEFAULT_WEIGHTS),
    "dictionary": _Sort(DictionaryVersion, lifecycle.DICTIONARY, Dictionary.from_dict, DEFAULT_DICTIONARY),
}
KINDS: tuple[Kind, ...] = ("weights", "dictionary")


# --- what is in force -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InForce:
    """The ids of the weights and of the dictionary that rankings are made by now."""

    weight_set_id: int
    dictionary_id: int


def find_in_force() -> InForce | None:
    """None where what comes with this program has not been taken over yet, see `take_over_shipped`."""
    weights, dictionary = _find_in_force("weights"), _find_in_force("dictionary")
    return InForce(weights, dictionary) if weights and dictionary else None


def weights_in_force() -> tuple[int | None, Weights]:
    """The weights that rankings are made by; those of the program, without an id, where none are kept yet."""
    found = _find_in_force("weights")
    return (found, get_weights(found)) if found else (None, DEFAULT_WEIGHTS)


def dictionary_in_force() -> tuple[int | None, Dictionary]:
    """The dictionary that texts are read by; that of the program, without an id, where none is kept yet."""
    found = _find_in_force("dictionary")
    return (found, get_dictionary(found)) if found else (None, DEFAULT_DICTIONARY)


def get_weights(id: int) -> Weights:
    """The weights of a row; raises ValueError if this program cannot read them."""
    content = _content("weights", id)
    assert isinstance(content, Weights)
    return content


def get_dictionary(id: int) -> Dictionary:
    """The dictionary of a row; raises ValueError if this program cannot read it."""
    content = _content("dictionary", id)
    assert isinstance(content, Dictionary)
    return content


def take_over_shipped(*, now: datetime) -> InForce:
    """Inside a transaction: keep what comes with the program where nothing else is in force."""
    for kind in KINDS:
        if _find_in_force(kind) is None:
            _keep_shipped(kind, now=now)
    found = find_in_force()
    if found is None:
        raise RuntimeError("the program's own weights and dictionary were kept and are not in force")
    return found


def _find_in_force(kind: Kind) -> int | None:
    sort = _SORTS[kind]
    rows = db.session.execute(
        select(sort.entity.id, sort.entity.digest, sort.entity.author_id)
        .where(sort.entity.status == SettingStatus.ACCEPTED)
        .order_by(sort.entity.accepted_at.desc(), sort.entity.id.desc())
    ).all()
    for row in rows:
        if row.author_id is not None and _is_readable(kind, row.id):
            return int(row.id)
    mine = sort.shipped.digest()
    return next((int(row.id) for row in rows if row.author_id is None and row.digest == mine), None)


def _is_readable(kind: Kind, id: int) -> bool:
    """Weights from another version of the program may name numbers that there are no more."""
    try:
        _content(kind, id)
    except ValueError as error:
        log.error("%s %s cannot be read by this program and is passed over: %s", kind, id, error)
        return False
    return True


def _content(kind: Kind, id: int) -> Content:
    entity = _SORTS[kind].entity
    digest = db.session.scalar(select(entity.digest).where(entity.id == id))
    if digest is None:
        raise NotFound(f"{kind} {id}")
    remembered = _remembered.get((kind, digest))
    if remembered is None:
        row = db.session.get_one(entity, id)
        if len(_remembered) >= _REMEMBERED_AT_MOST:
            _remembered.clear()
        remembered = _remembered[kind, digest] = _SORTS[kind].read(row.content)
    return remembered


# By digest, so that what belongs to several databases may share it; a large dictionary takes long to read.
_remembered: dict[tuple[Kind, str], Content] = {}
_REMEMBERED_AT_MOST = 16


def _keep_shipped(kind: Kind, *, now: datetime) -> None:
    sort = _SORTS[kind]
    content = sort.shipped
    taken = set(db.session.scalars(select(sort.entity.version)))
    # A version's name says one thing for ever; numbers that changed under one get a name of their own.
    name = content.version if content.version not in taken else f"{content.version}+{content.digest()[:6]}"
    row = _new_row(kind, content, version=name, status=SettingStatus.ACCEPTED, now=now)
    row.author_name, row.decided_by, row.accepted_at = _PLATFORM, _PLATFORM, now
    row.reason = row.decision = "随程序提供"
    db.session.add(row)
    db.session.flush()
    record(
        sort.life.audit_type("accept"),
        sort.life.thing,
        row.id,
        by=SYSTEM,
        at=now,
        label=name,
        to_status="accepted",
    )


def _new_row(kind: Kind, content: Content, *, version: str, status: SettingStatus, now: datetime) -> Row:
    shared: dict[str, Any] = {
        "version": version,
        "digest": content.digest(),
        "status": status,
        "proposed_at": now,
    }
    if isinstance(content, Weights):
        return WeightSet(weights=content.to_dict(), **shared)
    return DictionaryVersion(dictionary=content.to_dict(), **shared)


# --- proposals --------------------------------------------------------------------------------------------


def get_setting(kind: Kind, id: int, *, held: bool = False) -> Row:
    """One version; raises NotFound. `held` keeps it from everybody else until the transaction ends."""
    entity = _SORTS[kind].entity
    statement = select(entity).where(entity.id == id).execution_options(populate_existing=True)
    found: Row | None = db.session.scalar(statement.with_for_update() if held else statement)
    if found is None:
        raise NotFound(f"{kind} {id}")
    return found


def list_settings(kind: Kind, *, limit: int = 100) -> list[Row]:
    """All versions, the latest first."""
    entity = _SORTS[kind].entity
    return list(db.session.scalars(select(entity).order_by(entity.id.desc()).limit(limit)))


def list_history(kind: Kind, *, limit: int = 50) -> list[Row]:
    """What was ever accepted, the latest first."""
    entity = _SORTS[kind].entity
    return list(
        db.session.scalars(
            select(entity)
            .where(entity.status == SettingStatus.ACCEPTED)
            .order_by(entity.accepted_at.desc(), entity.id.desc())
            .limit(limit)
        )
    )


def life_of(kind: Kind) -> Lifecycle:
    return _SORTS[kind].life


def propose(kind: Kind, content: Content, *, reason: str, by: Actor, now: datetime) -> Row:
    """Write down other weights or another dictionary, and ask how the shortlists would move by it.

    Raises Forbidden for anybody but an operator, and Obstructed for a version's name that is taken, for
    what is in force already, and without a reason.
    """
    _only_operators(kind, "propose", by)
    if obstacles := list(_obstacles_to_proposing(kind, content, reason)):
        raise Obstructed(obstacles)
    row = _new_row(kind, content, version=content.version, status=SettingStatus.PROPOSED, now=now)
    row.author_id, row.author_name, row.reason = by.user_id, by.name, reason.strip()
    db.session.add(row)
    db.session.flush()
    life = _SORTS[kind].life
    record(
        life.audit_type("propose"),
        life.thing,
        row.id,
        by=by,
        at=now,
        label=row.version,
        to_status=row.status.value,
        reason=row.reason,
        detail={"digest": row.digest},
    )
    ask_for_preview(kind, row)
    return row


def ask_for_preview(kind: Kind, row: Row) -> None:
    """Inside a transaction: have it computed how the current shortlists would move."""
    defer("matching.preview_settings", subject_id=row.id, payload={"setting": kind}, bulk=True)


def request_preview(kind: Kind, id: int, *, by: Actor, now: datetime) -> Row:
    """Have a proposal's preview computed anew; raises Obstructed where it is proposed no more."""
    _only_operators(kind, "preview", by)
    row = get_setting(kind, id, held=True)
    if row.status is not SettingStatus.PROPOSED:
        raise Obstructed([Obstacle("", N_("只有待采用的提案需要预览"))])
    life = _SORTS[kind].life
    record(life.audit_type("preview"), life.thing, row.id, by=by, at=now, label=row.version)
    ask_for_preview(kind, row)
    return row


def accept(kind: Kind, id: int, *, reason: str, by: Actor, now: datetime) -> Row:
    """Put a proposal in force and have everything ranked by it.

    Raises Obstructed without a reason, or without a preview that was computed on what is in force now.
    """
    # Whoever accepts or learns an epoch holds the corpus, so that a preview cannot grow stale in between.
    db.session.execute(select(Corpus.id).where(Corpus.id == 1).with_for_update())
    row = get_setting(kind, id, held=True)
    life = _SORTS[kind].life
    before = row.status
    status = SettingStatus(life.advance(before, "accept", by=_parties(by)))
    if obstacles := list(_obstacles_to_accepting(row, reason)):
        raise Obstructed(obstacles)
    row.status = status
    row.accepted_at, row.decided_by, row.decision = now, by.name, reason.strip()
    _record_move(life, "accept", row, before, by=by, now=now)
    defer("matching.build_epoch", subject_id=0, bulk=True)
    return row


def withdraw(kind: Kind, id: int, *, reason: str, by: Actor, now: datetime) -> Row:
    """Put a proposal aside for good; raises Obstructed without a reason."""
    row = get_setting(kind, id, held=True)
    life = _SORTS[kind].life
    before = row.status
    status = SettingStatus(life.advance(before, "withdraw", by=_parties(by)))
    if obstacles := list(_obstacles_to_reason(reason)):
        raise Obstructed(obstacles)
    row.status = status
    row.withdrawn_at, row.decided_by, row.decision = now, by.name, reason.strip()
    _record_move(life, "withdraw", row, before, by=by, now=now)
    return row


def basis() -> dict[str, int | None]:
    """What a preview is computed on: it is stale as soon as one of these is another."""
    in_force = find_in_force()
    epoch_id = db.session.scalar(select(Corpus.epoch_id).where(Corpus.id == 1))
    return {
        "epoch": epoch_id,
        "weights": in_force.weight_set_id if in_force else None,
        "dictionary": in_force.dictionary_id if in_force else None,
    }


def is_current(preview: Mapping[str, Any] | None) -> bool:
    """Whether a preview is there and was computed on what is in force now."""
    return preview is not None and preview.get("basis") == basis()


def _only_operators(kind: Kind, action: str, by: Actor) -> None:
    if not by.is_operator:
        raise Forbidden(f"{kind}.{action}")


def _parties(by: Actor) -> frozenset[Party]:
    return by.parties(None)


def _record_move(
    life: Lifecycle, action: str, row: Row, before: SettingStatus, *, by: Actor, now: datetime
) -> None:
    record(
        life.audit_type(action),
        life.thing,
        row.id,
        by=by,
        at=now,
        label=row.version,
        from_status=before.value,
        to_status=row.status.value,
        reason=row.decision,
        detail={"digest": row.digest},
    )


def _obstacles_to_reason(reason: str) -> list[Obstacle]:
    return list(reason_gaps(reason, limit=REASON_AT_MOST))


def _obstacles_to_proposing(kind: Kind, content: Content, reason: str) -> list[Obstacle]:
    entity = _SORTS[kind].entity
    found = _obstacles_to_reason(reason)
    if len(content.version) > VERSION_AT_MOST:
        found.append(Obstacle("version", N_("版本号最多 %(most)s 个字符"), {"most": VERSION_AT_MOST}))
    elif db.session.scalar(select(entity.id).where(entity.version == content.version)) is not None:
        found.append(Obstacle("version", N_("这个版本号已经用过，请换一个")))
    standing = weights_in_force()[1] if isinstance(content, Weights) else dictionary_in_force()[1]
    if _without_version(content) == _without_version(standing):
        found.append(Obstacle("", N_("内容与现行版本相同，没有可采用的改动")))
    return found


def _without_version(content: Content) -> dict[str, Any]:
    return content.to_dict() | {"version": ""}


def _obstacles_to_accepting(row: Row, reason: str) -> list[Obstacle]:
    found = _obstacles_to_reason(reason)
    if row.preview is None:
        found.append(Obstacle("preview", N_("预览还没有算完，不能采用")))
    elif not is_current(row.preview) or row.preview.get("digest") != row.digest:
        found.append(Obstacle("preview", N_("预览之后语料或现行参数已变，请重新预览")))
    return found


def get_of_epoch(epoch: CorpusEpoch) -> tuple[Weights, Dictionary]:
    """What an epoch's texts were read by and are ranked by; raises ValueError where that is not known."""
    if epoch.weight_set_id is None or epoch.dictionary_id is None:
        raise ValueError(f"epoch {epoch.id} is from before dictionaries had versions")
    return get_weights(epoch.weight_set_id), get_dictionary(epoch.dictionary_id)


def find_preview_work(kind: Kind, id: int) -> OutboxRow | None:
    """The work of a proposal's preview that is under way, waiting or dead."""
    rows = db.session.scalars(
        select(OutboxRow)
        .where(
            OutboxRow.kind == "matching.preview_settings",
            OutboxRow.subject_id == id,
            OutboxRow.done_at.is_(None),
        )
        .order_by(OutboxRow.id.desc())
    )
    return next((row for row in rows if row.payload.get("setting") == kind), None)
