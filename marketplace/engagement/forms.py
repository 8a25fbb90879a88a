"""What is typed when approaching somebody, answering, or making a remark."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from marketplace.engagement import rules
from marketplace.engagement.kinds import (
    CONTACT_NAMES,
    SEEKER_REASONS,
    SUPPLIER_REASONS,
    ContactSource,
    Reason,
    Side,
)
from marketplace.engagement.rules import Draft
from marketplace.kernel.forms import Choice, Date, Form, LongText


def _contacts(*sources: ContactSource) -> Any:
    return lambda: [(source.value, gettext(CONTACT_NAMES[source])) for source in sources]


def _reasons(known: Mapping[Reason, str]) -> Any:
    return lambda: [(reason.value, gettext(label)) for reason, label in known.items()]


class ApproachForm(Form):
    """An invitation about a need, or an interest."""

    message = LongText(
        _l("留言"),
        limit=rules.LONGEST_MESSAGE,
        least=rules.SHORTEST_MESSAGE,
        required=True,
        rows=5,
        description=_l("写明希望对方做什么、看重什么；不要写电话和邮箱，双方同意后自动开放"),
    )
    contact = Choice(
        _l("对方同意后向其开放"),
        pairs=_contacts(ContactSource.ORGANISATION, ContactSource.PERSON),
        kind=ContactSource,
        required=True,
        radio=True,
        default=ContactSource.ORGANISATION.value,
    )
    expires_on = Date(_l("答复期限"), required=True, description=_l("过期未答复自动失效"))

    def draft(self) -> Draft:
        return Draft(self.message.data, self.contact.data, self.expires_on.data)


class ChallengeInvitationForm(ApproachForm):
    """An invitation about a challenge, which may name a contact of its own."""

    contact = Choice(
        _l("对方同意后向其开放"),
        pairs=_contacts(ContactSource.ORGANISATION, ContactSource.POSTING, ContactSource.PERSON),
        kind=ContactSource,
        required=True,
        radio=True,
        default=ContactSource.ORGANISATION.value,
    )


class AcceptForm(Form):
    contact = Choice(
        _l("向对方开放"),
        pairs=_contacts(ContactSource.ORGANISATION, ContactSource.PERSON),
        kind=ContactSource,
        required=True,
        radio=True,
        default=ContactSource.ORGANISATION.value,
    )


class SeekerReasonForm(Form):
    reason_code = Choice(_l("理由"), pairs=_reasons(SEEKER_REASONS), required=True)
    reason = LongText(_l("补充说明"), limit=rules.LONGEST_REASON, rows=3)


class SupplierReasonForm(Form):
    reason_code = Choice(_l("理由"), pairs=_reasons(SUPPLIER_REASONS), required=True)
    reason = LongText(_l("补充说明"), limit=rules.LONGEST_REASON, rows=3)


class NoteForm(Form):
    text = LongText(_l("备注"), limit=rules.LONGEST_NOTE, required=True, rows=3)


def reason_form(side: Side, **kwargs: Any) -> Any:
    """The form with the reasons of one side."""
    return (SeekerReasonForm if side is Side.SEEKER else SupplierReasonForm)(**kwargs)
