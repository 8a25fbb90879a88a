#!/usr/bin/env bash
# Pins requirements.txt and requirements-dev.txt for every supported Python and platform, with hashes and
# without the address of any index, so that each site installs from its own.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet uv
compile=(.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header
  --no-emit-index-url --no-emit-find-links --quiet)
"${compile[@]}" requirements.in -o requirements.txt
"${compile[@]}" requirements-dask.in -o requirements-dask.txt
"${compile[@]}" requirements-dev.in -o requirements-dev.txt
echo "requirements.txt、requirements-dask.txt 与 requirements-dev.txt 已更新 (pinned anew)"
