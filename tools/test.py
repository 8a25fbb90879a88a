"""`make test`: sets itself up and runs every test, or those named on the command line.

As root it installs Debian's browser, its Chinese font and PostgreSQL where they are missing. Anybody else
gets named skips for what the machine lacks; with CI=true a skip fails.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # In the place of this folder, so that its modules have one name everywhere.
    sys.path[0] = str(ROOT)

from tools import setup  # noqa: E402
from tools.setup import say  # noqa: E402

# Two processes share a part's files: each has its own databases, or its own running marketplace and browser.
# Who kills servers has the machine to itself.
SIDE_BY_SIDE = (
    # In this order: many short files at the end leave neither process waiting for the other.
    ("--no-loadscope-reorder", "tests/integration", "tests/ranking", "tests/unit", "tests/house"),
    ("tests/browser",),
)
ALONE = ("tests/faults",)
# A slow test is seen before a slow suite is.
REPORTED = ("-q", "--durations=40", "--durations-min=5")
NO_TESTS_COLLECTED = 5


def missing_system_packages() -> list[str]:
    wanted = {
        "chromium": bool(find_any("/usr/bin/chromium", "/usr/bin/chromium-browser"))
        or bool(os.environ.get("CHROMIUM")),
        "fonts-noto-cjk": bool(find_any("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")),
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        or bool(os.environ.get("TEST_DATABASE_URL")),
    }
    return [name for name, there in wanted.items() if not there]


def find_any(*paths: str) -> bool:
    return any(Path(path).exists() for path in paths)


def run_pytest(python: Path, *arguments: str) -> int:
    say(f"pytest {' '.join(arguments)}")
    return subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


def main() -> int:
    python = setup.set_up(dev=True)
    if (missing := missing_system_packages()) and not setup.install_system_packages(*missing):
        say(f"缺少 {' '.join(missing)}：相关测试将跳过；可用 sudo apt-get install {' '.join(missing)} 安装")
    if named := sys.argv[1:]:
        return run_pytest(python, *named)
    codes = [
        *(run_pytest(python, *REPORTED, "-n", "2", "--dist", "loadfile", *part) for part in SIDE_BY_SIDE),
        run_pytest(python, *REPORTED, *ALONE),
    ]
    return max(0 if code == NO_TESTS_COLLECTED else code for code in codes)


if __name__ == "__main__":
    sys.exit(main())
