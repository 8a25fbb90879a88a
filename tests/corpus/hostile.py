"""What people, broken programs and attackers type, by the kind of field it is typed into.

Each value says what is to become of it: `KEPT` to the letter, `REFUSED` with a message at its field, or
`EITHER`, where the rules of a feature decide (then it is kept or refused, and nothing between).
Not here: files (`files.py`), and which form has which fields.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    KEPT = "kept"
    REFUSED = "refused"
    EITHER = "either"


KEPT, REFUSED, EITHER = Fate.KEPT, Fate.REFUSED, Fate.EITHER


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    text: str
    # In a field of one line, and in one of several.
    line: Fate = KEPT
    prose: Fate = KEPT
    # Whether the two databases might treat it differently.
    database: bool = False
    # What the server gets to see, where a browser cannot send the text itself.
    arrives: str | None = None


def _refused(name: str, text: str, *, database: bool = False) -> Hostile:
    return Hostile(name, text, REFUSED, REFUSED, database)


TEXTS = (
    # Nothing, or nothing that can be seen.
    Hostile("empty", "", EITHER, EITHER),
    Hostile("blanks", "   ", EITHER, EITHER),
    Hostile("full-width blanks", "\u3000\u3000", EITHER, EITHER),
    Hostile("nothing visible", "\u200b\u2060\ufeff\u200d", EITHER, EITHER),
    Hostile("one character", "锻", EITHER, EITHER),
    # Characters that no column holds.
    _refused("nul", "锻\x00造", database=True),
    _refused("bell", "锻\x07造"),
    _refused("backspace", "锻\x08造"),
    _refused("vertical tab", "锻\x0b造"),
    _refused("form feed", "锻\x0c造"),
    _refused("escape", "锻\x1b[31m造"),
    _refused("delete", "锻\x7f造"),
    _refused("next line", "锻\x85造"),
    _refused("c1 sequence", "锻\x9b31m造"),
    _refused("line separator", "锻\u2028造", database=True),
    _refused("paragraph separator", "锻\u2029造"),
    _refused("override of direction", "锻\u202e造"),
    _refused("embedding of direction", "锻\u202a造\u202c"),
    _refused("isolate", "锻\u2066造\u2069"),
    _refused("annotation", "锻\ufff9造\ufffb"),
    _refused("no character", "锻\ufffe造", database=True),
    _refused("bytes that were no text", "锻\ufffd造"),
    # Half a character cannot be sent in UTF-8: what arrives are its bytes, as letters.
    Hostile("lone surrogate", "锻\ud800造", EITHER, EITHER, True, arrives="锻%ED%A0%80造"),
    # Lines.
    Hostile("tab", "锻\t造", REFUSED, KEPT),
    Hostile("line end", "锻\r\nSet-Cookie: a=b", REFUSED, KEPT),
    Hostile("old line end", "锻\r造", REFUSED, KEPT),
    # Odd, and yet text.
    Hostile("byte order mark", "\ufeff锻造", database=True),
    Hostile("zero width", "锻\u200b造\u200d工\u200c艺", database=True),
    Hostile("family of joined emoji", "👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿锻造", database=True),
    Hostile("rare characters", "𠮷野家𰻝㐱𬭩", database=True),
    Hostile("private use", "锻\ue000\U000f0000造", database=True),
    Hostile("ten thousand accents", "e" + "\u0301" * 10_000, database=True),
    Hostile("accents", "e" + "\u0301" * 20 + "锻造", database=True),
    Hostile("composed", "\u00e9\u212b\ufb01锻造", database=True),
    Hostile("decomposed", "e\u0301A\u030afi锻造", database=True),
    Hostile("full width", "ＡＢＣ１２３％＝＠锻造", database=True),
    Hostile("look-alikes", "аdmіn锻造", database=True),
    Hostile("traditional", "鍛造國產軟體", database=True),
    Hostile("from right to left", "שלום مرحبا 锻造"),
    Hostile("soft hyphens", "锻\u00ad造\u00a0工艺"),
    Hostile("blanks around", "  锻造  "),
    # Injections.
    Hostile("sql end", "'; DROP TABLE need; --", database=True),
    Hostile("sql or", "1' OR '1'='1' /*"),
    Hostile("sql union", '%" UNION SELECT NULL,NULL--', database=True),
    Hostile("like", "%_\\%", database=True),
    Hostile("tsquery", "a & !b | (c <-> d):*'", database=True),
    Hostile("script", "<script>alert(1)</script>"),
    Hostile("attribute", '"><img src=x onerror=alert(1)>'),
    Hostile("single-quoted attribute", "' onmouseover='alert(1)"),
    Hostile("end of a text area", "</textarea></title><svg/onload=alert(1)>"),
    Hostile("htmx", '" hx-get="/logout" hx-trigger="load" hx-on:click="alert(1)'),
    Hostile("script address", "javascript:alert(document.domain)"),
    Hostile("data address", "data:text/html;base64,PHNjcmlwdD4="),
    Hostile("entities", "&lt;b&gt;&#x3C;i&#62;&amp;amp;"),
    Hostile("comment", "<!--<![CDATA[<b>]]>-->"),
    Hostile("template", "{{7*7}}{%raw%}{#x#}${7*7}<%=7*7%>"),
    Hostile("format", "%(label)s %s %n %% {0} {label} {0.__class__}"),
    Hostile("formula", '=HYPERLINK("https://evil.example",1)'),
    Hostile("formula plus", "+1+cmd|' /C calc'!A0"),
    Hostile("formula at", "@SUM(A1:A9)"),
    Hostile("full-width formula", "＝1+1"),
    Hostile("slow expression", "a" * 48 + "!"),
    Hostile("slow blanks", "锻" + " " * 90 + "造"),
    Hostile("path", "../../../../etc/passwd"),
    Hostile("windows path", "..\\..\\CON:\\aux.txt"),
    Hostile("escaped nul", "锻%00造%0d%0a"),
    Hostile("directory query", "*)(uid=*))(|(uid=*"),
    Hostile("entity", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;'),
    Hostile("operators", '{"$ne":null,"__proto__":{"admin":1}}'),
    Hostile("words of programs", "null"),
    Hostile("number", "-0.00e999"),
)

# What must not be found as it stands in any page.
RAW = ("<script>alert", "<img src=x", "' onmouseover='", "<svg/onload", '" hx-get="/logout', "<!--<![CDATA[")

LONG = "9" * 100
NUMBERS = {
    # Read by none of the fields for numbers.
    REFUSED: (
        "x",
        "NaN",
        "Infinity",
        "-inf",
        "1e400",
        "1e3",
        "0x10",
        "1_000",
        "10²",
        "½",
        "٣",
        "--1",
        "1..2",
        ".",
        "1,5",
        "1,00",
        ",1",
        "1,",
        "1,0000",
        "¥80",
        "80元",
        "八十",
        "1 000",
        "1'000",
        "+",
        "-",
        "1;--",
        "１．５．１",
        LONG,
        "-" + LONG,
        "0." + LONG,
        "锻\x00",
        "1\u200b",
        "<script>alert(1)</script>",
        "=1+1",
        "9223372036854775808.5.1",
    ),
    # Read by some of them, within their limits.
    EITHER: (
        "",
        "   ",
        "0",
        "-0",
        "-1",
        "1.005",
        "0.000001",
        "１２．５",
        "1,000",
        "12,345,678",
        "100",
        "101",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "1000000000000000000",
        "999999999999999",
        "99999999999999.999999",
        "00012",
        "12.",
        ".5",
        "+5",
        "5%",
    ),
}
DATES = {
    REFUSED: (
        "0001-01-01",
        "9999-12-31",
        "2026-02-30",
        "2027-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-00-00",
        "2026-01-01T00:00:00+08:00",
        "2026-01-01Z",
        "20260101",
        "01/02/2026",
        "26-1-1",
        "明天",
        "2026-1-1-1",
        "-2026-01-01",
        "10000-01-01",
        "2026-01-32",
        "NULL",
        LONG,
        "2026-01-01\x00",
        "<script>alert(1)</script>",
        "46800.5",
        "２０２６－０２－３０",
    ),
    EITHER: (
        "",
        "  ",
        "1900-01-01",
        "2200-12-31",
        "２０２７－０１－０１",
        "2027年1月1日",
        "2027/1/1",
        "2027.1.1",
    ),
}
CHOICES = {
    REFUSED: (
        "unknown",
        "-1",
        "2147483648",
        "9223372036854775808",
        LONG,
        "' OR '1'='1",
        "<script>alert(1)</script>",
        "x\x00",
        "../",
        "\u200b",
        "__class__",
        "NONE",
        "{{7*7}}",
        "长" * 5000,
        "\ud800",
        "1.0",
        "true",
    ),
    EITHER: ("", " "),
}
ADDRESSES = {
    REFUSED: (
        "x",
        "a@",
        "@b.cn",
        "a@b",
        "a b@c.cn",
        "a@b.cn\r\nBcc: x@y.cn",
        "a@b.cn,c@d.cn",
        "<a@b.cn>",
        "a..b@c.cn",
        "a@-b.cn",
        "a@[127.0.0.1]",
        "a@b.cn\x00",
        "a@" + "b" * 250 + ".cn",
        "javascript:alert(1)",
        "\u202ea@b.cn",
        "<script>alert(1)</script>@b.cn",
        "' OR 1=1--",
        "长" * 300,
        "a@b\u2028.cn",
        "a@localhost",
    ),
    EITHER: ("", "  "),
}
PHONES = {
    REFUSED: (
        "1",
        "110",
        "1380000000",
        "138000000001",
        "+1 650 253 0000",
        "13800000000;x",
        "tel:13800000000",
        "023--60000000",
        "abc",
        LONG,
        "138\x0000000000",
        "٠١٢٣٤٥٦٧٨٩",
        "<script>alert(1)</script>",
        "138 0000 0000 0",
        "=13800000000",
        "\u202e13800000000",
        "13800000000\r\n13900000000",
        "12345678901",
    ),
    EITHER: ("", "１３８００００００００", "023-60000000"),
}
SECRETS = (
    _refused("nul", "锻\x00造ab-cd-ef", database=True),
    Hostile("blank", "   ", EITHER, EITHER),
    _refused("very long", "长" * 1001),
    Hostile("rare", "𠮷é\u200b<script>alert(1)</script>", EITHER, EITHER),
)
# A version, an id or a number of something else: never more than refused or left aside.
REFERENCES = (
    "",
    "x",
    "-1",
    "0",
    "2147483648",
    "9223372036854775808",
    LONG,
    "1;--",
    "²",
    "1.0",
    "1e3",
    "0x1",
    "\x00",
    "1\x00",
    "' OR '1'='1",
    "../1",
    "XQ-2026-99999",
    "<script>alert(1)</script>",
    "长" * 5000,
    "\ud800",
)
# What no form asks for, and what must therefore change nothing.
EXTRA = {
    "organisation_id": "1",
    "org_id": "1",
    "owner_id": "1",
    "user_id": "1",
    "id": "1",
    "public_no": "TZ-2026-00001",
    "status": "published",
    "platform_role": "operator",
    "is_admin": "1",
    "is_operator": "on",
    "verified_at": "2026-01-01",
    "created_by_id": "1",
    "published_at": "2026-01-01",
    "expires_at": "2199-01-01",
    "score": "100",
    "password_hash": "!",
    "source_title": "x",
    "confirmed": "1",
    "csrf": "x",
    "_method": "DELETE",
    "__class__": "x",
    "sealed": "0",
    "deleted": "1",
}
