"""The templates to download: headings, hints, examples and drop-down lists, from the columns of a target."""

import csv
import io
from typing import IO

import xlsxwriter
from flask_babel import gettext
from xlsxwriter.utility import xl_col_to_name

from marketplace.exchange.cells import harmless, text_of
from marketplace.exchange.columns import Column, Money
from marketplace.exchange.exports import sheet_name
from marketplace.exchange.staging import EXAMPLE
from marketplace.exchange.targets import Target

ROWS_WITH_LISTS = 5_000


def heading_of(column: Column) -> str:
    """What an import knows again, with the unit in which the amounts below it are meant.

    Whoever reads another language finds the name in it behind; in brackets, which an import passes over.
    """
    heading = column.label
    if isinstance(column.codec, Money):
        heading += f"（{column.codec.UNITS[column.codec.usual]}）"
    said = str(gettext(column.label))
    return heading if said == column.label else f"{heading} ({said.replace(' (', ', ').replace(')', '')})"


def hint_of(column: Column) -> str:
    parts = [gettext("必填") if column.required else "", gettext(column.hint) if column.hint else ""]
    return str(gettext("；")).join(part for part in parts if part)


def write_xlsx(target: Target, file: IO[bytes]) -> None:
    """One sheet to fill in with nothing but headings, one that explains it, and one with the lists."""
    book = xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head = book.add_format({"bold": True, "bg_color": "#EAF2FD", "border": 1, "border_color": "#9FBFE8"})
    must = book.add_format(
        {"bold": True, "font_color": "#C4261D", "bg_color": "#EAF2FD", "border": 1, "border_color": "#9FBFE8"}
    )
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@"})
    data = book.add_worksheet(sheet_name(gettext(target.label)))
    guide = book.add_worksheet(gettext("填写说明"))
    lists = book.add_worksheet("lists")
    lists.hide()
    data.freeze_panes(1, 0)
    guide.set_column(0, 0, 22)
    guide.set_column(1, 2, 60)
    for place, title in enumerate((gettext("列"), gettext("说明"), gettext("示例"))):
        guide.write_string(0, place, title, head)
    for place, column in enumerate(target.columns):
        heading, hint = heading_of(column), hint_of(column)
        wide = 40 if getattr(column.codec, "multiline", False) else max(14, 2 * len(heading) + 2)
        # As text, so that a long number keeps its digits and its leading zeros.
        data.set_column(place, place, wide, text if column.name.endswith("_no") else None)
        data.write_string(0, place, heading, must if column.required else head)
        if hint:
            data.write_comment(0, place, hint, {"x_scale": 1.6})
        guide.write_string(place + 1, 0, heading, wrap)
        guide.write_string(place + 1, 1, hint, wrap)
        guide.write_string(place + 1, 2, column.example, wrap)
        if choices := column.choices:
            for line, choice in enumerate(choices):
                lists.write_string(line, place, choice)
            letter = xl_col_to_name(place)
            data.data_validation(
                1,
                place,
                ROWS_WITH_LISTS,
                place,
                {
                    "validate": "list",
                    "source": f"=lists!${letter}$1:${letter}${len(choices)}",
                    # A code is accepted too, and so are several names in one cell.
                    "error_type": "warning",
                    "error_title": heading[:32],
                    "error_message": gettext("请从列表中选择"),
                },
            )
    book.close()


def write_csv(target: Target, file: IO[bytes]) -> None:
    """Headings, and an example that the import passes over for the mark at its beginning."""
    out = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([heading_of(column) for column in target.columns])
    first, *rest = [text_of(harmless(column.example)) for column in target.columns]
    writer.writerow([f"{EXAMPLE} {gettext('示例，导入时跳过')} {first}".strip(), *rest])
    out.flush()
    out.detach()
