"""The form by which a maintainer brings in the next version of a scheme."""

# Form classes come from a library without types.
# mypy: disable-error-code="misc"

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from marketplace.kernel.forms import Date, Form, Integer, LongText, Text
from marketplace.taxonomy.services import LONGEST_NUMBER, LONGEST_REASON, LONGEST_SOURCE, Edition
from marketplace.taxonomy.sheets import MOST_BYTES


class ImportForm(Form):
    number = Text(_l("版本号"), limit=LONGEST_NUMBER, required=True, description=_l("例如 2027 或 2026-2"))
    valid_from = Date(_l("生效日期"), required=True, description=_l("不晚于今天，不早于上一版"))
    reason = LongText(_l("修改理由"), limit=LONGEST_REASON, rows=3, required=True)
    source = Text(
        _l("依据"), limit=LONGEST_SOURCE, required=True, description=_l("文件名称、文号和日期，对外公开")
    )
    # The file as it was read, carried from the preview to the acceptance, so that both judge the same.
    content = LongText(_l("文件内容"), limit=MOST_BYTES, rows=12)
    base_id = Integer(_l("比较的版本"))

    def edition(self) -> Edition:
        day: Any = self.valid_from.data
        return Edition(
            number=self.number.data or "",
            reason=self.reason.data or "",
            source=self.source.data or "",
            valid_from=day if isinstance(day, date) else date.max,
        )
