#!/bin/sh
# Builds plugins written in Python: `plugins/build-python.sh [--install] NAME...`, or all without names. The output is
# plugins/NAME/filter.wasm. A NAME with a slash is the folder of a plugin elsewhere.
#
# Uses componentize-py on the PATH or in ${GISCHAT_TOOLS:-target/tools}/python, where --install installs it.
# The kit is in ${GISCHAT_SDK:-sdk}. Messages name GISCHAT_INSTALL, if set, as the command that installs the tools.
#
# Exits with 3 if a tool is missing; the message says which.
set -eu
plugins=$(cd "$(dirname "$0")" && pwd)
root=${plugins%/*}
sdk=${GISCHAT_SDK:-$root/sdk}
version=0.25.0
tools=${GISCHAT_TOOLS:-$root/target/tools}/python

# works COMMAND: whether the command is the right version of componentize-py.
works() {
    [ "$("$1" --version 2> /dev/null)" = "componentize-py $version" ]
}

install=no
if [ "${1-}" = --install ]; then
    install=yes
    shift
fi

if works componentize-py; then
    tool=componentize-py
elif works "$tools/bin/componentize-py"; then
    tool=$tools/bin/componentize-py
elif [ $install = yes ]; then
    if ! command -v python3 > /dev/null; then
        echo "There is no python3. Install Python 3.11 or later." >&2
        exit 3
    fi
    python3 -m venv "$tools"
    # Without a network, fail within seconds.
    "$tools/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
        "componentize-py==$version"
    tool=$tools/bin/componentize-py
else
    echo "There is no componentize-py $version. Install it with one of these:" >&2
    echo "    ${GISCHAT_INSTALL:-$0 --install}    # into $tools" >&2
    echo "    pip install componentize-py==$version" >&2
    exit 3
fi

if [ $# -eq 0 ]; then
    for source in "$plugins"/*/filter.py; do
        folder=${source%/filter.py}
        if [ -e "$folder/plugin.toml" ]; then set -- "$@" "$folder"; fi
    done
fi

# Build from a copy, because the build writes compiled files next to the sources.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name; do
    case $name in */*) folder=$name ;; *) folder=$plugins/$name ;; esac
    if [ ! -e "$folder/filter.py" ]; then
        echo "There is no Python plugin $name: $folder/filter.py is missing." >&2
        exit 2
    fi
    rm -rf "$work/sources"
    mkdir "$work/sources"
    cp "$sdk/python/gischat_component.py" "$work/sources"
    cp -R "$sdk/python/gischat_filter" "$work/sources"
    for source in "$folder"/*.py "$folder"/*/__init__.py; do
        case $source in
            */test_*.py | */tests/__init__.py | *\**) ;;
            */__init__.py) cp -R "${source%/__init__.py}" "$work/sources" ;;
            *) cp "$source" "$work/sources" ;;
        esac
    done
    # No backtrace of the tool, so that Python's error comes last.
    RUST_BACKTRACE=0 "$tool" --quiet -d "$sdk/wit" -w filter componentize --stub-wasi -p "$work/sources" \
        -o "$work/filter.wasm" gischat_component
    cp "$work/filter.wasm" "$folder/filter.wasm"
    echo "$folder/filter.wasm: $(($(wc -c < "$folder/filter.wasm"))) bytes"
done
