#!/bin/sh
# Puts promtool, which checks metrics, into target/tools unless it is installed. It comes from Debian's package
# `prometheus`, which is not installed: that would start its server. Prints nothing if promtool is already there.
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
tools=${tests%/*}/target/tools
if command -v promtool > /dev/null || [ -x "$tools/promtool" ]; then exit 0; fi

echo "Fetching promtool into target/tools"
mkdir -p "$tools"
work=$(mktemp -d "$tools/promtool.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
download() {
    (cd "$work" && timeout 300 apt-get download prometheus) > "$work/log" 2>&1
}
# The list of packages may be missing or old. Only root can renew it.
download || { timeout 300 apt-get update >> "$work/log" 2>&1; download; } || {
    cat "$work/log" >&2
    echo "Could not fetch promtool. Install it:  apt-get install prometheus" >&2
    exit 1
}
dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar -x -O ./usr/bin/promtool > "$work/promtool"
chmod +x "$work/promtool"
mv "$work/promtool" "$tools/promtool"
