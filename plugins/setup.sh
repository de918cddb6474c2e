#!/bin/sh
# Installs missing build dependencies of the relay and its plugins: `plugins/setup.sh` as root, or
# `plugins/setup.sh --sudo` (`make setup`). Prints nothing if nothing is missing.
#
# Without --sudo it never asks for a password and always exits with 0: a relay without some plugins is better than none.
set -eu
. "$(dirname "$0")/packages.sh"

ask=never
if [ "${1-}" = --sudo ]; then ask=sudo; fi

need gcc libc6-dev -- command -v cc
need_for_plugins
[ -n "$missing" ] || exit 0

if [ "$ask" = sudo ] || [ "$(id -u)" = 0 ]; then
    echo "Installing build dependencies of the plugins:$missing"
    if install_packages "$ask"; then exit 0; fi
    echo "Not installed:$missing: $why" >&2
    [ "$ask" = never ] || exit 1
elif command -v apt-get > /dev/null; then
    echo "Missing for some of the plugins:$missing. \`make setup\` installs them with sudo." >&2
else
    echo "Missing for some of the plugins:$missing (Debian's names). Install them to have all plugins." >&2
fi
