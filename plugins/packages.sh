# Installs missing Debian packages. Sourced by plugins/setup.sh and tests/needs.sh.

# Names of missing packages, each preceded by a space.
missing=

# Servers may not be on the PATH of other users than root.
PATH=$PATH:/usr/sbin:/sbin

# need PACKAGE... -- COMMAND: marks the packages as missing if the command fails.
need() {
    packages=
    while [ "$1" != -- ]; do
        packages="$packages $1"
        shift
    done
    shift
    "$@" > /dev/null 2>&1 || missing="$missing$packages"
}

# wasm_target: whether the compiler has a standard library for WebAssembly, or Debian's compiler has its sources.
wasm_target() {
    [ -e "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] ||
        [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

# need_for_plugins: the build dependencies of plugins in all three languages. plugins/build-python.sh and
# plugins/build-javascript.sh install further tools from PyPI and npm.
need_for_plugins() {
    # rustup is faster than Debian's packages and does not need root. Ignore its error if it cannot download.
    wasm_target 2> /dev/null || timeout 120 rustup target add wasm32-unknown-unknown > /dev/null 2>&1 || true
    need rustc-web rust-web-src lld -- wasm_target
    need python3-venv -- python3 -c 'import ensurepip'
    need nodejs npm -- command -v npm
}

# install_packages ASK: installs missing packages, as root or, if ASK is `sudo`, with sudo. On failure, returns 1 and
# sets $why to the reason.
install_packages() {
    if ! command -v apt-get > /dev/null; then
        why="there is no apt-get here (the names are Debian's)"
        return 1
    elif [ "$(id -u)" = 0 ]; then
        as_root() { "$@"; }
    elif [ "$1" = sudo ] && command -v sudo > /dev/null; then
        as_root() { sudo "$@"; }
    else
        why="only root can install them"
        return 1
    fi
    # Debian starts servers on installation, and nginx would take port 80. A policy file prevents that. An existing
    # policy belongs to the machine and stays.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 1' HUP INT TERM
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
    fi
    # Without a network, fail within seconds.
    apt="apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o DPkg::Lock::Timeout=120"
    # shellcheck disable=SC2086  # each word is an argument
    if as_root $apt update && as_root env DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends $missing
    then
        return 0
    fi
    why="apt-get failed"
    return 1
}
