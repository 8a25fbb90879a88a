"""`make bench`: measures what there is to measure and keeps it in build/bench, one file a run."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import quality, running

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    kept = ROOT / "build" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    record = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "running": running.measure(),
    }
    path = kept / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2))
    print(f"→ {path}")
    judged = Path(os.environ.get("MARKETPLACE_REAL_DATA", "")) / "judged"
    if os.environ.get("MARKETPLACE_REAL_DATA") and judged.is_dir():
        sys.argv[1:] = [str(judged)]
        quality.main()
    else:
        print(
            "没有 MARKETPLACE_REAL_DATA/judged，排名质量未测 / ranking quality not measured: no judged sets"
        )


if __name__ == "__main__":
    main()
