#!/bin/sh
# Installs missing dependencies of the tests, other than cargo: Debian packages, by apt-get, as root or with sudo.
# `needs.sh fuzz` also installs those of the fuzz targets.
# Prints nothing if nothing is missing.
set -eu
. "$(dirname "$0")/../plugins/packages.sh"

need gcc libc6-dev -- command -v cc
need nginx -- command -v nginx
need openssl -- command -v openssl
need curl -- command -v curl
need bsdutils -- command -v script
# Sets the wall clock of a relay.
need faketime -- sh -c 'ls /usr/lib/*/faketime/libfaketime.so.1'
# examples/chat.py needs Debian's Python: another one in the PATH may lack the package.
need python3 python3-websockets -- /usr/bin/python3 -c 'import websockets'
# Clients made of Qt, as in QGIS and QField.
need python3-pyqt5 python3-pyqt5.qtwebsockets python3-pyqt5.qtquick -- \
    /usr/bin/python3 -c 'from PyQt5 import QtGui, QtNetwork, QtQml, QtWebSockets'
need qml-module-qtquick2 qml-module-qtwebsockets -- \
    sh -c 'ls /usr/lib/*/qt5/qml/QtQuick.2/qmldir /usr/lib/*/qt5/qml/QtWebSockets/qmldir'
need_for_plugins
# libFuzzer is C++.
if [ "${1:-}" = fuzz ]; then need g++ -- command -v c++; fi
[ -n "$missing" ] || exit 0

ask=never
if [ -t 0 ] || sudo -n true 2> /dev/null; then ask=sudo; fi
echo "Installing what the tests need:$missing"
if ! install_packages "$ask"; then
    echo "The tests need packages that are missing, and $why." >&2
    echo "Install them:  apt-get install$missing" >&2
    exit 1
fi
