"""`make messages`: the catalogue of English follows the texts of the code; what it lacks is listed.

Simplified Chinese is the source, so that an entry is named by its Chinese text. New texts come in without a
translation and texts that are gone leave; nothing is guessed from a similar text. Ends with 1 while a
translation is missing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "marketplace" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
HEAD = {
    "Language": "en",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}


def extract() -> list[str]:
    """Every text of the code and the templates, sorted."""
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract"]
    options = ["-F", "babel.cfg", "-k", "N_", "-k", "_l", "-k", "say", "--no-wrap"]
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "messages.pot"
        subprocess.run([*command, *options, "-o", found, "."], cwd=ROOT, check=True)
        return sorted(entry.msgid for entry in polib.pofile(str(found)))


def read() -> polib.POFile:
    return polib.pofile(str(CATALOGUE), wrapwidth=0)


def renewed(texts: list[str], known: dict[str, str]) -> polib.POFile:
    """A catalogue of exactly these texts, said as they were said before."""
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.metadata = dict(HEAD)
    for text in texts:
        catalogue.append(polib.POEntry(msgid=text, msgstr=known.get(text, "")))
    return catalogue


def main() -> int:
    known = {e.msgid: e.msgstr for e in read() if not e.fuzzy} if CATALOGUE.exists() else {}
    catalogue = renewed(extract(), known)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(CATALOGUE))
    missing = [entry.msgid for entry in catalogue if not entry.msgstr]
    for text in missing:
        print(text)
    print(f"{len(catalogue)} texts, {len(missing)} without a translation: {CATALOGUE.relative_to(ROOT)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
