"""`make bench`: measures what there is to measure and keeps it in build/bench, one file a run.

The short form: running (starting and answering), speed and quality beside their peers, what reasons and
consortia cost, and the pages at ten thousand challenges on both databases, whose loading takes most of the
time. The long forms: `python -m benchmarks.speed`, `.freshness`, `.quality`, `.reasons`, `.assembly`,
`.pages`, `.search`, each with its `--help`.
"""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import running

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure everything in its short form; one part that fails is named and the others go on."""
    kept = ROOT / "build" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    record = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "failed": [],
    }
    began = time.monotonic()
    try:
        record["running"] = running.measure()
    except Exception as error:
        print(f"benchmarks.running: {error}")
        record["failed"].append("benchmarks.running")
    parts = [
        ["benchmarks.speed", "--short"],
        ["benchmarks.reasons", "--docs", "2000", "--needs", "20"],
        ["benchmarks.assembly", "--instances", "5"],
        *(
            ["benchmarks.pages", "--database", database, "--rounds", "3", "--seconds", "2"]
            for database in ("sqlite", "postgres")
        ),
    ]
    judged = Path(os.environ.get("MARKETPLACE_REAL_DATA", "")) / "judged"
    if os.environ.get("MARKETPLACE_REAL_DATA") and judged.is_dir():
        parts.append(["benchmarks.quality", str(judged), "--short"])
    else:
        print(
            "没有 MARKETPLACE_REAL_DATA/judged，排名质量未测 / ranking quality not measured: no judged sets"
        )
    for part in parts:
        print(f"\n— {' '.join(part)}", flush=True)
        if subprocess.run([sys.executable, "-m", *part], cwd=ROOT, check=False).returncode:
            record["failed"].append(part[0])
    record["seconds"] = round(time.monotonic() - began)
    path = kept / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2))
    print(f"→ {path}")
    if record["failed"]:
        sys.exit(f"未完成 / failed: {', '.join(record['failed'])}")


if __name__ == "__main__":
    main()
