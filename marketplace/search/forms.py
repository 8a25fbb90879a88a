"""Forms of search."""

from flask_babel import lazy_gettext as _l

from marketplace.kernel.forms import Choice, Form, Text
from marketplace.search.models import Frequency
from marketplace.search.services import LONGEST_NAME

FREQUENCY_NAMES = {
    Frequency.AT_ONCE: _l("有新结果立即提醒"),
    Frequency.DAILY: _l("每天提醒一次"),
    Frequency.WEEKLY: _l("每周一提醒一次"),
    Frequency.NEVER: _l("不提醒"),
}
PAIRS = [(frequency.value, name) for frequency, name in FREQUENCY_NAMES.items()]


class SavedSearchForm(Form):
    name = Text(
        _l("名称"), limit=LONGEST_NAME, required=True, description=_l("写在提醒信里，便于认出是哪个检索")
    )
    frequency = Choice(_l("提醒"), pairs=PAIRS, required=True)


class FrequencyForm(Form):
    frequency = Choice(_l("提醒"), pairs=PAIRS, required=True)
