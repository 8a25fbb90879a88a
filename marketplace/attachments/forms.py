"""A field for files in any form. It says what is chosen; `intake.received` looks inside and keeps."""

# wtforms carries no types: its classes are Any here.
# mypy: disable-error-code="misc"

from typing import Any

import wtforms
from flask_babel import gettext
from wtforms import widgets

from marketplace.attachments.kinds import EXTENSIONS
from marketplace.attachments.rules import Purpose, clean_name, extension_of, megabytes


class AttachmentsField(wtforms.MultipleFileField):
    """Any number of files for one purpose; `data` is a list of FileStorage, empty where none was chosen.

    The form's tag needs enctype="multipart/form-data", its view `security.large_body(LARGEST_UPLOAD_BYTES)`.
    """

    data: Any

    def __init__(self, label: Any = None, *, purpose: Purpose, required: bool = False, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.type = "AttachmentsField"
        self.purpose, self.is_required = purpose, required
        self.widget = widgets.FileInput(multiple=purpose.most_files > 1)
        accepted = ",".join(f".{ending}" for ending, kind in EXTENSIONS.items() if kind in purpose.kinds)
        self.render_kw = {"accept": accepted}
        if required:
            self.flags.required = True

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = [file for file in valuelist if getattr(file, "filename", "")]

    def pre_validate(self, form: Any) -> None:
        if self.is_required and not self.data:
            raise wtforms.validators.StopValidation(gettext("请选择“%(label)s”的文件", label=self.label.text))
        if len(self.data or ()) > self.purpose.most_files:
            raise wtforms.validators.StopValidation(
                gettext(
                    "“%(label)s”最多 %(most)s 个文件，现选 %(count)s 个",
                    label=self.label.text,
                    most=self.purpose.most_files,
                    count=len(self.data),
                )
            )
        for file in self.data or ():
            kind = EXTENSIONS.get(extension_of(clean_name(file.filename)))
            if kind not in self.purpose.kinds:
                raise wtforms.validators.StopValidation(
                    gettext(
                        "“%(file)s”：不支持这种文件，只接收 %(allowed)s",
                        file=clean_name(file.filename),
                        allowed="、".join(one.value for one in self.purpose.kinds),
                    )
                )

    def hint(self) -> str:
        """What may be chosen, in one line."""
        return str(
            gettext(
                "%(allowed)s，单个不超过 %(limit)s MB，最多 %(most)s 个",
                allowed="、".join(one.value for one in self.purpose.kinds),
                limit=megabytes(self.purpose.most_bytes),
                most=self.purpose.most_files,
            )
        )
