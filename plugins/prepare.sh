#!/bin/sh
# Builds the plugins that come with the relay, as far as possible: `plugins/prepare.sh`, the first half of `make run`.
# Installs missing tools, prints one line for each plugin that cannot be built, and exits with 0.
#
# The output of the builds goes to target/plugins.log.
set -eu
cd "$(dirname "$0")/.."
mkdir -p target
log=target/plugins.log
: > "$log"

sh plugins/setup.sh

# attempt NAMES TARGET: runs the make target that builds the plugins NAMES.
attempt() {
    begin=$(($(wc -l < "$log") + 1))
    if ${MAKE:-make} --no-print-directory "$2" INSTALL=--install STRICT=yes >> "$log" 2>&1; then return; fi
    # The first error line of cargo, pip, npm or a build script.
    why=$(tail -n "+$begin" "$log" |
        sed -nE 's/^(error[^:]*|ERROR|npm error|There is no|The compiler has no)/&/p' | grep -v '^npm error code' |
        head -n 1 | cut -c 1-160)
    for name in $1; do
        if [ -e "plugins/$name/filter.wasm" ]; then state='not rebuilt'; else state='not built'; fi
        echo "plugin $name: $state: ${why:-the build failed}; see $log" >&2
    done
}

if ! [ -e plugins/link-guard/filter.wasm ]; then echo "Building the plugins; this takes a minute the first time"; fi
attempt 'calm-caps flood-guard geofence link-guard' plugins-rust
attempt polite-words plugins/polite-words/filter.wasm
attempt quiet-hours plugins/quiet-hours/filter.wasm
