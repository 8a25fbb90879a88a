#!/usr/bin/env bash
# Builds marketplace/static/vendor from the npm packages pinned in tools/vendor/package-lock.json.
# The result is checked in, so that running and testing the marketplace needs neither node nor a network.
# Needs: node 18 or later with npm. After changing a version in package.json, run it with --relock.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cp "$root"/tools/vendor/package*.json "$root"/tools/vendor/echarts.js "$work"/
cd "$work"
# Registry addresses stay out of the lock: they differ from site to site.
npm_flags=(--no-audit --no-fund --omit-lockfile-registry-resolved)
if [ "${1:-}" = "--relock" ]; then
  npm install --package-lock-only "${npm_flags[@]}"
  cp package-lock.json "$root"/tools/vendor/package-lock.json
fi
npm ci "${npm_flags[@]}"

# Government desktops often run browsers with a Chromium kernel of about version 80.
build=(npx esbuild --minify --target=chrome80 --legal-comments=inline --charset=utf8)
version() { node -p "require('./node_modules/$1/package.json').version"; }

out="$work/out"
bootstrap="$out/bootstrap-$(version bootstrap)"
htmx="$out/htmx-$(version htmx.org)"
echarts="$out/echarts-$(version echarts)"
mkdir -p "$bootstrap" "$htmx" "$echarts"

"${build[@]}" node_modules/bootstrap/dist/css/bootstrap.css --outfile="$bootstrap/bootstrap.min.css"
cp node_modules/bootstrap/LICENSE "$bootstrap/LICENSE"

"${build[@]}" node_modules/htmx.org/dist/htmx.js --outfile="$htmx/htmx.min.js"
cp node_modules/htmx.org/LICENSE "$htmx/LICENSE"

"${build[@]}" echarts.js --bundle --format=iife --global-name=echarts --outfile="$echarts/echarts.custom.min.js"
cp node_modules/echarts/LICENSE "$echarts/LICENSE"
cp node_modules/echarts/NOTICE "$echarts/NOTICE"
cp node_modules/zrender/LICENSE "$echarts/LICENSE.zrender"

node "$root/tools/vendor/manifest.js" "$out" node_modules > "$out/vendor.json"
rm -rf "$root/marketplace/static/vendor"
mkdir -p "$root/marketplace/static"
cp -r "$out" "$root/marketplace/static/vendor"
chmod -R u=rwX,go=rX "$root/marketplace/static/vendor"
