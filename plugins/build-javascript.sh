#!/bin/sh
# Builds plugins written in JavaScript: `plugins/build-javascript.sh [--install] NAME...`, or all without names. The
# output is plugins/NAME/filter.wasm. A NAME with a slash is the folder of a plugin elsewhere.
#
# Uses componentize-js and esbuild installed next to a componentize-js on the PATH, or in
# ${GISCHAT_TOOLS:-target/tools}/javascript, where --install installs them.
# The kit is in ${GISCHAT_SDK:-sdk}. Messages name GISCHAT_INSTALL, if set, as the command that installs the tools.
#
# Exits with 3 if a tool is missing; the message says which.
set -eu
plugins=$(cd "$(dirname "$0")" && pwd)
root=${plugins%/*}
sdk=${GISCHAT_SDK:-$root/sdk}
version=0.23.0
esbuild=0.28.2
tools=${GISCHAT_TOOLS:-$root/target/tools}/javascript

if ! command -v node > /dev/null; then
    echo "There is no node. Install Node.js 20 or later: https://nodejs.org" >&2
    exit 3
fi

# complete FOLDER: whether this node_modules has esbuild and the right version of componentize-js.
complete() {
    [ -e "$1/esbuild/package.json" ] &&
        grep -q "\"version\": \"$version\"" "$1/@bytecodealliance/componentize-js/package.json" 2> /dev/null
}

install=no
if [ "${1-}" = --install ]; then
    install=yes
    shift
fi

# The command is a link to node_modules/@bytecodealliance/componentize-js/src/cli.js.
found=$(command -v componentize-js || true)
if [ -n "$found" ]; then
    found=$(readlink -f "$found")
    found=${found%/@bytecodealliance/*}
fi

if [ -n "$found" ] && complete "$found"; then
    modules=$found
elif complete "$tools/node_modules"; then
    modules=$tools/node_modules
elif [ $install = yes ]; then
    if ! command -v npm > /dev/null; then
        echo "There is no npm. Install it; it is part of Node.js: https://nodejs.org" >&2
        exit 3
    fi
    mkdir -p "$tools"
    # Without a network, npm would retry for minutes.
    timeout 120 npm install --prefix "$tools" --no-save --no-audit --no-fund --loglevel error --fetch-retries 1 \
        --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 3000 \
        --fetch-timeout 30000 \
        "@bytecodealliance/componentize-js@$version" "esbuild@$esbuild" > /dev/null
    modules=$tools/node_modules
else
    echo "There are no componentize-js $version and esbuild. Install them with one of these:" >&2
    echo "    ${GISCHAT_INSTALL:-$0 --install}    # into $tools" >&2
    echo "    npm install --global @bytecodealliance/componentize-js@$version esbuild@$esbuild" >&2
    exit 3
fi

if [ $# -eq 0 ]; then
    for source in "$plugins"/*/filter.js; do
        folder=${source%/filter.js}
        if [ -e "$folder/plugin.toml" ]; then set -- "$@" "$folder"; fi
    done
fi

for name; do
    case $name in */*) folder=$name ;; *) folder=$plugins/$name ;; esac
    if [ ! -e "$folder/filter.js" ]; then
        echo "There is no JavaScript plugin $name: $folder/filter.js is missing." >&2
        exit 2
    fi
    node "$sdk/javascript/build.js" "$modules" "$folder" "$folder/filter.wasm"
    echo "$folder/filter.wasm: $(($(wc -c < "$folder/filter.wasm"))) bytes"
done
