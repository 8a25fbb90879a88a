"""How the files of an owner are shown: on its own page, and on the page where they come and go."""

from dataclasses import dataclass

from marketplace.attachments import owners, queries
from marketplace.attachments.models import Attachment
from marketplace.attachments.rules import MB, Purpose, megabytes
from marketplace.kernel.actor import acting


@dataclass(frozen=True, slots=True)
class Section:
    """The files of one owner for one purpose, as the current actor may see and change them."""

    owner_kind: str
    owner_id: int
    purpose: Purpose
    files: list[Attachment]
    may_write: bool

    @property
    def is_full(self) -> bool:
        return len(self.files) >= self.purpose.most_files


def attached_files(owner_kind: str, owner_id: int, purpose_name: str) -> Section | None:
    """For templates: the section, or None where the actor may not read what is there."""
    rule, actor = owners.rule_for(owner_kind), acting()
    purpose = rule.purpose(purpose_name)
    files = queries.list_for(owner_kind, owner_id, purpose_name)
    may_write = rule.may_write(owner_id, purpose_name, actor)
    # Most owners have no files and most readers add none: who may read nothing need not be asked.
    if (files or may_write) and not rule.may_read(owner_id, purpose_name, actor):
        return None
    return Section(owner_kind, owner_id, purpose, files, may_write)


def size_text(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.0f} KB" if size < MB else f"{megabytes(size)} MB"
