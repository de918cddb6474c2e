#!/bin/sh
# Compares the features of the relay's dependencies when it is built alone, with the workspace, and with the tests. Where they
# differ, cargo builds the crate, and all that use it, once for each: minutes, when wasmtime is among them.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# features FILE ARGUMENTS...: each package with its features, sorted.
features() {
    file=$work/$1
    shift
    cargo tree --locked --target x86_64-unknown-linux-gnu --no-dedupe --prefix none --format '{p} {f}' "$@" |
        sort -u > "$file"
}
features relay --package gischat-relay --edges normal,build
features workspace --workspace --edges normal,build
features tests --workspace --edges normal,build,dev

# What the relay is built with must be among what the others are built with, to the letter.
differs=$(for other in workspace tests; do comm -23 "$work/relay" "$work/$other"; done | sort -u)
if [ -n "$differs" ]; then
    echo "These dependencies have other features in the workspace or its tests than in the relay alone:" >&2
    echo "$differs" >&2
    exit 1
fi
