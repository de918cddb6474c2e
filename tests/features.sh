#!/bin/sh
# Compares the features of the relay's dependencies in builds of the relay alone, of the workspace, and of the tests. If they
# differ, cargo builds the crate and its dependents several times, which takes minutes if wasmtime is among them.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# features FILE ARGUMENTS...: writes each package with its features, sorted.
features() {
    file=$work/$1
    shift
    cargo tree --locked --target x86_64-unknown-linux-gnu --no-dedupe --prefix none --format '{p} {f}' "$@" |
        sort -u > "$file"
}
features relay --package gischat-relay --edges normal,build
features workspace --workspace --edges normal,build
features tests --workspace --edges normal,build,dev

# The features of the relay must be a subset of those of the other builds, with identical names.
differs=$(for other in workspace tests; do comm -23 "$work/relay" "$work/$other"; done | sort -u)
if [ -n "$differs" ]; then
    echo "These dependencies have other features in the workspace or its tests than in the relay alone:" >&2
    echo "$differs" >&2
    exit 1
fi
