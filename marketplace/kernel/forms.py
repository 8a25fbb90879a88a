"""HTML forms: reading what was typed, keeping it for showing again, and saying all that is wrong at once.

Fields check what holds for any text or number (`kernel.typed`) and name the field and the limit in each
message. What a feature asks beyond that belongs into its `rules`. A form never changes a text: it refuses,
or takes it as typed (line ends made plain, blanks around a single line left out).

    class ProfileForm(Form):
        version = Version()
        name = Text(_l("单位名称"), limit=120, required=True)
        budget_fen = Money(_l("榜额"))              # typed in 万元, data is 分
        indicators = Rows(IndicatorRow, _l("考核指标"), most=30)

In a view: `form = ProfileForm(obj=thing)`; `form.validate_on_submit()`; templates show `ui.field(form.name)`.
Empty texts are "", empty numbers, dates and choices None.
"""

# wtforms and Flask-WTF carry no types: their classes are Any here, and only here.
# mypy: disable-error-code="misc"

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import wtforms
from email_validator import EmailNotValidError, validate_email
from flask import request
from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import widgets
from wtforms.fields import choices as wtforms_choices
from wtforms.utils import unset_value

from marketplace.kernel import money, typed

Pairs = Sequence[tuple[str, Any] | tuple[str, Any, str]]


def posted_text(name: str) -> str:
    """A text of several lines that a view reads without a form, taken as `LongText` takes it."""
    text = typed.with_plain_newlines(request.form.get(name, ""))
    return "" if typed.is_blank(text) else text


class Form(FlaskForm):
    """The base of every form that a page posts; carries the CSRF token."""


class RowForm(wtforms.Form):
    """The base of one row inside `Rows`."""

    @property
    def is_blank(self) -> bool:
        """Whether nobody typed or chose anything in this row; a choice left at its preset is none."""
        return not any(field.is_filled for field in self if isinstance(field, (_Typed, Choice, Choices)))


class _Typed(wtforms.Field):
    """What all fields for typed values share: the raw text is kept and shown again as it was."""

    widget = widgets.TextInput()
    input_type = "text"
    data: Any

    def __init__(self, label: Any = None, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.is_required = required
        if required:
            self.flags.required = True

    def _preset(self, attributes: dict[str, Any]) -> None:
        """Attributes of the input that a form may still override with its own `render_kw`."""
        own: Any = vars(self).get("render_kw")
        self.render_kw = {**attributes, **(own or {})}

    @property
    def typed_text(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""

    @property
    def is_filled(self) -> bool:
        return bool(self.typed_text.strip()) if self.raw_data is not None else self.data not in (None, "")

    def shown(self, value: Any) -> str:
        return str(value)

    def _value(self) -> str:
        if self.raw_data is not None:
            return self.typed_text
        return "" if self.data is None else self.shown(self.data)

    def say(self, message: str, **params: Any) -> str:
        return str(gettext(message, label=self.label.text, **params))

    def parse(self, text: str) -> Any:
        """The value of a text that is not blank; raises ValueError with the message to show."""
        raise NotImplementedError

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist:
            return
        text = str(valuelist[0])
        for obstacle in typed.obstacles_in(
            text.strip(), field=f"{self.name}", label=str(self.label.text), limit=200
        ):
            raise ValueError(gettext(obstacle.message, **obstacle.params))
        if text.strip():
            self.data = self.parse(text)

    def pre_validate(self, form: Any) -> None:
        if self.is_required and not self.process_errors and self.data in (None, "", []):
            raise wtforms.validators.StopValidation(self.say("请填写“%(label)s”"))


class Text(_Typed):
    """One line. `limit` is the column's length in characters."""

    multiline = False

    def __init__(
        self, label: Any = None, *, limit: int, least: int = 0, required: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(label, required=required, **kwargs)
        self.type = "StringField"
        self.limit, self.least = limit, least
        self.flags.maxlength = limit

    def process_data(self, value: Any) -> None:
        self.data = "" if value is None else str(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        self.data = typed.with_plain_newlines(text) if self.multiline else text.strip(" \u3000")
        if typed.is_blank(self.data):
            self.data = ""

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        self.errors += [
            gettext(o.message, **o.params)
            for o in typed.obstacles_in(
                str(self.data),
                field=str(self.name),
                label=str(self.label.text),
                limit=self.limit,
                multiline=self.multiline,
            )
        ]
        if self.data and len(self.data) < self.least:
            self.errors.append(
                self.say(
                    "“%(label)s”至少 %(least)s 个字，现有 %(count)s 个",
                    least=self.least,
                    count=len(self.data),
                )
            )
        if self.errors:
            raise wtforms.validators.StopValidation


class LongText(Text):
    """Several lines."""

    widget = widgets.TextArea()
    multiline = True

    def __init__(self, label: Any = None, *, limit: int, rows: int = 5, **kwargs: Any) -> None:
        super().__init__(label, limit=limit, **kwargs)
        self.type = "TextAreaField"
        self._preset({"rows": rows})


class Password(Text):
    """Never shown again, never trimmed."""

    widget = widgets.PasswordInput()

    def __init__(self, label: Any = None, *, limit: int = 128, **kwargs: Any) -> None:
        super().__init__(label, limit=limit, **kwargs)
        self.type = "PasswordField"

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = str(valuelist[0]) if valuelist else ""


class Email(Text):
    """An address in one spelling: lower case, so that it names one account."""

    widget = widgets.EmailInput()

    def __init__(self, label: Any = None, *, limit: int = 254, **kwargs: Any) -> None:
        super().__init__(label, limit=limit, **kwargs)

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if not self.data:
            return
        try:
            self.data = email_from(self.data)
        except ValueError as error:
            raise wtforms.validators.StopValidation(self.say("“%(label)s”不是有效的邮箱地址")) from error


def email_from(text: str) -> str:
    """Raises ValueError for what is no mail address."""
    try:
        return str(validate_email(typed.plain(text), check_deliverability=False).normalized).lower()
    except EmailNotValidError as error:
        raise ValueError(text) from error


class Phone(Text):
    """A mobile or landline number."""

    widget = widgets.TelInput()

    def __init__(self, label: Any = None, *, limit: int = 20, **kwargs: Any) -> None:
        super().__init__(label, limit=limit, **kwargs)

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if not self.data:
            return
        try:
            self.data = typed.phone_from(self.data)
        except ValueError as error:
            raise wtforms.validators.StopValidation(
                self.say("“%(label)s”不是有效的电话号码，例如 13800000000 或 023-60000000")
            ) from error


class Integer(_Typed):
    """A whole number between `least` and `most`; full-width digits are read."""

    def __init__(
        self, label: Any = None, *, least: int = 0, most: int = typed.LARGEST_INTEGER, **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.type = "IntegerField"
        self.least, self.most = least, most
        self._preset({"inputmode": "numeric"})

    def parse(self, text: str) -> int:
        try:
            number = typed.integer_from(text)
        except ValueError as error:
            raise ValueError(self.say("“%(label)s”须为整数，例如 12")) from error
        if not self.least <= number <= self.most:
            raise ValueError(
                self.say(
                    "“%(label)s”须在 %(least)s 与 %(most)s 之间",
                    least=f"{self.least:,}",
                    most=f"{self.most:,}",
                )
            )
        return number


class Number(_Typed):
    """A decimal, exact."""

    def __init__(
        self,
        label: Any = None,
        *,
        least: Decimal | int = -(10**15),
        most: Decimal | int = 10**15,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.type = "DecimalField"
        self.least, self.most = least, most
        self._preset({"inputmode": "decimal"})

    def shown(self, value: Any) -> str:
        return f"{Decimal(value).normalize():f}"

    def parse(self, text: str) -> Decimal:
        try:
            number = typed.decimal_from(text)
        except ValueError as error:
            raise ValueError(
                self.say("“%(label)s”须为数字，例如 28 或 0.02，最多 15 位整数和 9 位小数")
            ) from error
        if not self.least <= number <= self.most:
            raise ValueError(
                self.say("“%(label)s”须在 %(least)s 与 %(most)s 之间", least=self.least, most=self.most)
            )
        return number


class Money(_Typed):
    """An amount; typed in 万元 (or 元), `data` is whole 分."""

    def __init__(
        self, label: Any = None, *, unit: str = "wan", most_fen: int = typed.LARGEST_FEN, **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.type = "MoneyField"
        self.unit, self.most_fen = unit, most_fen
        self.unit_fen = money.FEN_PER_WAN if unit == "wan" else money.FEN_PER_YUAN
        self._preset({"inputmode": "decimal"})

    def shown(self, value: Any) -> str:
        return money.in_wan(value) if self.unit == "wan" else money.in_yuan(value)

    def parse(self, text: str) -> int:
        unit = gettext("万元") if self.unit == "wan" else gettext("元")
        try:
            fen = money.fen_from(text, unit_fen=self.unit_fen)
        except ValueError as error:
            raise ValueError(
                self.say(
                    "“%(label)s”须为以%(unit)s为单位的金额，不小于 0，精确到分，例如 80 或 80.5", unit=unit
                )
            ) from error
        if fen > self.most_fen:
            raise ValueError(
                self.say("“%(label)s”最多 %(most)s %(unit)s", most=self.shown(self.most_fen), unit=unit)
            )
        return fen


class Date(_Typed):
    """A day."""

    widget = widgets.DateInput()

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.type = "DateField"

    def parse(self, text: str) -> date:
        try:
            return typed.date_from(text)
        except ValueError as error:
            raise ValueError(self.say("“%(label)s”须为日期，例如 2026-11-22")) from error


class Flag(wtforms.BooleanField):
    """One box to tick; with `required` it has to be ticked, and `must` says why."""

    def __init__(self, label: Any = None, *, required: bool = False, must: Any = "", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.type = "BooleanField"
        self.is_required, self.must = required, must
        if required:
            self.flags.required = True

    def pre_validate(self, form: Any) -> None:
        if self.is_required and not self.data:
            message = str(self.must) or gettext("请勾选“%(label)s”", label=self.label.text)
            raise wtforms.validators.StopValidation(message)


class _Options:
    """How pairs become options, shared by one choice and several."""

    @staticmethod
    def options(pairs: Pairs, *, blank: Any = None) -> list[wtforms_choices.SelectChoice]:
        """`pairs` are (value, label) or (value, label, group); a blank one stands first where given."""
        made = [] if blank is None else [wtforms_choices.SelectChoice("", blank)]
        made += [
            wtforms_choices.SelectChoice(pair[0], pair[1], optgroup=pair[2] if len(pair) > 2 else None)
            for pair in pairs
        ]
        return made


class Choice(wtforms.SelectField):
    """One of several, as a list or, with `radio`, as buttons. `kind` makes the value a member of an enum.

    `pairs` are (value, label) or (value, label, group), or a function that returns them when the form is
    made. Nothing chosen is None.
    """

    data: Any

    def __init__(
        self,
        label: Any = None,
        *,
        pairs: Pairs | Callable[[], Pairs],
        kind: type[StrEnum] | None = None,
        required: bool = False,
        radio: bool = False,
        blank: Any = "",
        **kwargs: Any,
    ) -> None:
        def coerce(value: Any) -> Any:
            text = "" if value is None else str(value)
            return None if text == "" else kind(text) if kind else text

        def choices() -> list[wtforms_choices.SelectChoice]:
            found = pairs() if callable(pairs) else pairs
            return _Options.options(found, blank=None if radio else blank or gettext("请选择"))

        super().__init__(label, coerce=coerce, choices=choices, **kwargs)
        self.is_required = required
        self.type = "RadioField" if radio else "SelectField"
        if radio:
            self.widget = widgets.ListWidget(prefix_label=False)
            self.option_widget = widgets.RadioInput()
        if required:
            self.flags.required = True

    @property
    def is_filled(self) -> bool:
        return bool(self.raw_data and self.raw_data[0]) and self.data != self.coerce(self.default)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = str(valuelist[0]) if valuelist else ""
        if text == "":
            return
        if all(text != choice.value for choice in self.choices):
            raise ValueError(gettext("请从列表中选择“%(label)s”", label=self.label.text))
        self.data = self.coerce(text)

    def pre_validate(self, form: Any) -> None:
        if self.is_required and self.data is None and not self.process_errors:
            raise wtforms.validators.StopValidation(gettext("请选择“%(label)s”", label=self.label.text))


class Choices(wtforms.SelectMultipleField):
    """Several of several, as boxes to tick (or a list with `boxes=False`). The value is a list."""

    data: Any

    def __init__(
        self,
        label: Any = None,
        *,
        pairs: Pairs | Callable[[], Pairs],
        kind: type[StrEnum] | None = None,
        required: bool = False,
        most: int = 0,
        boxes: bool = True,
        **kwargs: Any,
    ) -> None:
        def choices() -> list[wtforms_choices.SelectChoice]:
            return _Options.options(pairs() if callable(pairs) else pairs)

        super().__init__(label, coerce=kind or str, choices=choices, **kwargs)
        self.is_required, self.most = required, most
        self.type = "CheckboxesField" if boxes else "SelectMultipleField"
        if boxes:
            self.widget = widgets.ListWidget(prefix_label=False)
            self.option_widget = widgets.CheckboxInput()
        if required:
            self.flags.required = True

    @property
    def is_filled(self) -> bool:
        return bool(self.data)

    def process_data(self, value: Any) -> None:
        self.data = [] if value is None else [self.coerce(item) for item in value]

    def process_formdata(self, valuelist: list[str]) -> None:
        known = {choice.value for choice in self.choices}
        chosen = list(dict.fromkeys(str(value) for value in valuelist if value != ""))
        self.data = [self.coerce(value) for value in chosen if value in known]
        if len(self.data) != len(chosen):
            raise ValueError(gettext("请从列表中选择“%(label)s”", label=self.label.text))

    def pre_validate(self, form: Any) -> None:
        if self.is_required and not self.data and not self.process_errors:
            raise wtforms.validators.StopValidation(gettext("请选择“%(label)s”", label=self.label.text))
        if self.most and len(self.data) > self.most:
            raise wtforms.validators.StopValidation(
                gettext(
                    "“%(label)s”最多选 %(most)s 项，现选 %(count)s 项",
                    label=self.label.text,
                    most=self.most,
                    count=len(self.data),
                )
            )


class Version(Integer):
    """The version of the thing that the person has read; hidden. `ui.form_head(version)` renders it too."""

    widget = widgets.HiddenInput()

    def __init__(self, label: Any = "版本", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.type = "HiddenField"


class Row(wtforms.FormField):
    """One row of `Rows`."""

    widget = widgets.TableWidget()

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        # A row that nobody touched is no row, so that a page may offer empty ones.
        return True if self.form.is_blank else bool(super().validate(form, extra_validators))


class Rows(wtforms.FieldList):
    """A list of rows, each a `RowForm`. Untouched rows are neither judged nor part of `filled`."""

    _index: ClassVar[re.Pattern[str]] = re.compile(r"[0-9]{1,4}", re.ASCII)

    def __init__(
        self, row: type[RowForm], label: Any = None, *, most: int = 50, offered: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(wtforms.FormField.__new__(Row, row), label, min_entries=offered, **kwargs)
        self.most = most

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        # WTForms' own takes any `isdigit`, which int() refuses for "²" and for thousands of digits.
        start = f"{prefix}-"
        for key in formdata:
            if key.startswith(start):
                index = key[len(start) :].split("-", 1)[0]
                if self._index.fullmatch(index):
                    yield int(index)

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        if formdata and len(set(self._extract_indices(self.name, formdata))) > 10 * self.most:
            self.too_many = True
            super().process(None, (), extra_filters)
            return
        self.too_many = False
        super().process(formdata, data, extra_filters)

    @property
    def filled(self) -> list[dict[str, Any]]:
        """The rows that hold something, in order."""
        return [entry.data for entry in self.entries if not entry.form.is_blank]

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        fine = bool(super().validate(form, extra_validators))
        count = len(self.filled)
        if self.too_many or count > self.most:
            found: Any = vars(self).get("errors", ())
            too_many = gettext("“%(label)s”最多 %(most)s 项", label=self.label.text, most=self.most)
            self.errors = [*found, too_many]
            return False
        return fine
