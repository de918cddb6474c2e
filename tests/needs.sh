#!/bin/sh
# Installs what the tests need beside cargo, where it is missing: Debian's packages, by apt-get, as root or with sudo.
# Says nothing when all is there.
set -eu

missing=
# need PACKAGE... -- COMMAND: the packages are missing when the command fails.
need() {
    packages=
    while [ "$1" != -- ]; do
        packages="$packages $1"
        shift
    done
    shift
    "$@" > /dev/null 2>&1 || missing="$missing$packages"
}

# A server may be outside of the PATH of people who are not root.
PATH=$PATH:/usr/sbin:/sbin

need gcc libc6-dev -- command -v cc
need nginx -- command -v nginx
need openssl -- command -v openssl
need curl -- command -v curl
need bsdutils -- command -v script
# Debian's own Python runs examples/chat.py: another one in the PATH may lack the package.
need python3 python3-websockets -- /usr/bin/python3 -c 'import websockets'

# Plugins in Rust: a compiler with a standard library for WebAssembly, or Debian's with the sources of one.
wasm() {
    [ -e "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] ||
        [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}
need rustc-web rust-web-src lld -- wasm
# Plugins in Python and JavaScript; their tools come from their own registries.
need python3-venv -- python3 -c 'import ensurepip'
need nodejs npm -- command -v npm

[ -n "$missing" ] || exit 0

by_hand() {
    echo "The tests need packages that are missing, and $1." >&2
    echo "Install them:  apt-get install$missing" >&2
    exit 1
}

command -v apt-get > /dev/null || by_hand "there is no apt-get here (the names are Debian's)"
if [ "$(id -u)" = 0 ]; then
    as_root() { "$@"; }
elif command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
    as_root() { sudo "$@"; }
else
    by_hand "only root can install them"
fi

echo "Installing what the tests need:$missing"

# Debian starts a server that it installs, and this one would take port 80. A policy forbids that for the time being;
# one that is there already is the machine's own and stays in force.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
fi
as_root apt-get update -qq
# Unquoted, so that each name is an argument.
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
