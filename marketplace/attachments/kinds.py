"""The kinds of file that are taken in, and what each is served as. Nothing else is."""

from enum import StrEnum


class FileKind(StrEnum):
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PNG = "png"
    JPG = "jpg"
    ZIP = "zip"


EXTENSIONS = {
    "pdf": FileKind.PDF,
    "docx": FileKind.DOCX,
    "xlsx": FileKind.XLSX,
    "png": FileKind.PNG,
    "jpg": FileKind.JPG,
    "jpeg": FileKind.JPG,
    "zip": FileKind.ZIP,
}
MEDIA_TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.PNG: "image/png",
    FileKind.JPG: "image/jpeg",
    FileKind.ZIP: "application/zip",
}
ALL_KINDS = tuple(FileKind)
