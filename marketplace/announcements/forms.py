"""The form of an announcement."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from marketplace.announcements.kinds import CATEGORY_LABELS
from marketplace.announcements.models import AnnouncementCategory
from marketplace.announcements.rules import LONGEST_BODY, LONGEST_TITLE, AnnouncementDraft
from marketplace.kernel.forms import Choice, Form, LongText, Text, Version


class AnnouncementForm(Form):
    version = Version()
    title = Text(_l("标题"), limit=LONGEST_TITLE, required=True)
    category = Choice(
        _l("类别"),
        pairs=lambda: [(value.value, gettext(label)) for value, label in CATEGORY_LABELS.items()],
        kind=AnnouncementCategory,
        required=True,
    )
    body = LongText(_l("正文"), limit=LONGEST_BODY, rows=14, description=_l("空一行分段"))

    def draft(self) -> AnnouncementDraft:
        category = self.category.data or AnnouncementCategory.NOTICE
        return AnnouncementDraft(self.title.data or "", category.value, self.body.data or "")
