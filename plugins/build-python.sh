#!/bin/sh
# Builds plugins written in Python: `plugins/build-python.sh [--install] NAME...`, all of them when none is named. Each
# ends as plugins/NAME/filter.wasm. A NAME with a slash is the folder of a plugin that lies elsewhere.
#
# componentize-py is looked for on the PATH and in ${GISCHAT_TOOLS:-target/tools}/python; --install puts it there.
# The kit is that of ${GISCHAT_SDK:-sdk}. GISCHAT_INSTALL is what is said to install with, in place of --install.
#
# Status 3: something has to be installed first; what, is said.
set -eu
plugins=$(cd "$(dirname "$0")" && pwd)
root=${plugins%/*}
sdk=${GISCHAT_SDK:-$root/sdk}
version=0.25.0
tools=${GISCHAT_TOOLS:-$root/target/tools}/python

# works COMMAND: whether it is a componentize-py of the version that the kit is written for.
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
    # Without a network, the answer comes within seconds.
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

# Sources are copied, since the build leaves compiled ones beside them.
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
    # Without a backtrace of the tool, so that what Python says stands at the end.
    RUST_BACKTRACE=0 "$tool" --quiet -d "$sdk/wit" -w filter componentize --stub-wasi -p "$work/sources" \
        -o "$work/filter.wasm" gischat_component
    cp "$work/filter.wasm" "$folder/filter.wasm"
    echo "$folder/filter.wasm: $(($(wc -c < "$folder/filter.wasm"))) bytes"
done
