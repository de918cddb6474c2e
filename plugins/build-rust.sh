#!/bin/sh
# Builds plugins written in Rust: `plugins/build-rust.sh NAME...`, or all without names. The output is
# plugins/NAME/filter.wasm. A NAME with a slash is the folder of a plugin elsewhere.
#
# Exits with 3 if a tool is missing; the message says which.
set -eu
plugins=$(cd "$(dirname "$0")" && pwd)
target=wasm32-unknown-unknown
built=${CARGO_TARGET_DIR:-$plugins/target}
# A relative CARGO_TARGET_DIR is relative to the caller's folder.
case $built in /*) ;; *) built=$PWD/$built ;; esac

# library RUSTC FILE: whether the compiler has FILE among its libraries.
library() {
    sysroot=$("$1" --print sysroot 2> /dev/null) && [ -e "$sysroot/lib/rustlib/$2" ]
}

# linker: prints a linker for WebAssembly. The one of a rustup toolchain works with any other compiler too.
linker() {
    for name in wasm-ld $(rustc --print sysroot 2> /dev/null)/lib/rustlib/*/bin/rust-lld /usr/bin/wasm-ld-*; do
        command -v "$name" && return
    done
    return 1
}

if ! command -v cargo > /dev/null; then
    echo "There is no cargo. Install Rust: https://rustup.rs" >&2
    exit 3
elif library "${RUSTC:-rustc}" "$target/lib"; then
    set_up=
elif library /usr/bin/rustc src/rust/library/std && linker=$(linker); then
    # Debian packages only the sources of the standard library for this target; build it with the plugin.
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker
    export RUSTC RUSTC_BOOTSTRAP CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
    set_up=-Zbuild-std=std,panic_abort
else
    echo "The compiler has no $target. Install it with one of these:" >&2
    echo "    rustup target add $target" >&2
    echo "    apt-get install rustc-web rust-web-src lld    # Debian" >&2
    exit 3
fi

if [ $# -eq 0 ]; then
    for manifest in "$plugins"/*/Cargo.toml; do
        folder=${manifest%/Cargo.toml}
        if [ -e "$folder/plugin.toml" ]; then set -- "$@" "$folder"; fi
    done
fi

for name; do
    case $name in */*) folder=$name ;; *) folder=$plugins/$name ;; esac
    if [ ! -e "$folder/Cargo.toml" ]; then
        echo "There is no Rust plugin $name: $folder/Cargo.toml is missing." >&2
        exit 2
    fi
    # shellcheck disable=SC2086  # empty or one word
    cargo build --manifest-path "$folder/Cargo.toml" --release --target $target --target-dir "$built" $set_up
    package=$(sed -n 's/^name = "\(.*\)"/\1/p' "$folder/Cargo.toml" | head -n 1)
    result=$built/$target/release/$(echo "$package" | tr - _).wasm
    # An unchanged file keeps its timestamp, so that the relay, which may embed it, is not rebuilt.
    cmp -s "$result" "$folder/filter.wasm" || cp "$result" "$folder/filter.wasm"
    echo "$folder/filter.wasm: $(($(wc -c < "$folder/filter.wasm"))) bytes"
done
