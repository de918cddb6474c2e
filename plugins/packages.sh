# Installs Debian's packages where something is missing. Sourced by plugins/setup.sh and tests/needs.sh.

# Names of packages that are missing, each with a blank before it.
missing=

# Servers may be outside of the PATH of a user who is not root.
PATH=$PATH:/usr/sbin:/sbin

# need PACKAGE... -- COMMAND: the packages count as missing when the command fails.
need() {
    packages=
    while [ "$1" != -- ]; do
        packages="$packages $1"
        shift
    done
    shift
    "$@" > /dev/null 2>&1 || missing="$missing$packages"
}

# wasm_target: whether the compiler has a standard library for WebAssembly, or Debian's has the sources of one.
wasm_target() {
    [ -e "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] ||
        [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

# need_for_plugins: what the plugins are built with, in all three languages. The tools for Python and JavaScript come
# from their own registries, by plugins/build-python.sh and plugins/build-javascript.sh.
need_for_plugins() {
    # rustup is quicker than Debian's packages, and needs no root. Where it cannot download, it says so; that is no news.
    wasm_target 2> /dev/null || timeout 120 rustup target add wasm32-unknown-unknown > /dev/null 2>&1 || true
    need rustc-web rust-web-src lld -- wasm_target
    need python3-venv -- python3 -c 'import ensurepip'
    need nodejs npm -- command -v npm
}

# install_packages ASK: installs what is missing, as root or, where ASK is `sudo`, by sudo. Status 1 when it cannot;
# the reason is in $why.
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
    # Debian starts a server when it installs one, and nginx would take port 80. A policy forbids that meanwhile. A
    # policy that is already there belongs to the machine and stays.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 1' HUP INT TERM
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
    fi
    # Without a network, the answer comes within seconds.
    apt="apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o DPkg::Lock::Timeout=120"
    # shellcheck disable=SC2086  # each word is an argument
    if as_root $apt update && as_root env DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends $missing
    then
        return 0
    fi
    why="apt-get failed"
    return 1
}
