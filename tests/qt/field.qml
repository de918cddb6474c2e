// A client like the QField plugin, for tests/relay/qt_clients.rs. field.py loads it and passes lines in and out.

import QtQuick 2.15
import QtWebSockets 1.1

Item {
    id: plugin

    // Set by field.py.
    property string generation
    property string url
    property string room
    property string nickname

    readonly property string noun: generation === "v3" ? "channel" : "room"

    // A line for standard output.
    signal printed(string line)
    // The client is done.
    signal ended(int status)

    // Prints an event whose value is JSON already: JSON.parse would change large integers.
    function printRaw(kind, json) {
        printed("{\"" + kind + "\": " + json + "}");
    }

    function report(kind, value) {
        printRaw(kind, JSON.stringify(value));
    }

    function fail(text) {
        report("error", text);
        ended(1);
    }

    function send(frame) {
        socket.sendTextMessage(JSON.stringify(frame));
    }

    function get(path, onAnswer) {
        const request = new XMLHttpRequest();
        request.onreadystatechange = () => {
            if (request.readyState !== XMLHttpRequest.DONE)
                return;
            try {
                onAnswer(request.status, JSON.parse(request.responseText));
            } catch (error) {
                fail(path + ": " + error);
            }
        };
        request.open("GET", url + path);
        request.send();
    }

    // Gets the names of the rooms and joins one of them, as the plugin does when it opens.
    function open() {
        get("/" + noun + "s", (status, names) => {
            if (names.indexOf(room) === -1)
                throw new Error(room + " is not in " + JSON.stringify(names));
            // The plugin does not percent-encode the name.
            socket.url = url.replace("http", "ws") + "/" + noun + "/" + room + "/ws";
            socket.active = true;
        });
    }

    // A line of standard input.
    function handle(line) {
        try {
            const command = JSON.parse(line);
            if (command.send) {
                send(command.send);
            } else if (command.get) {
                const path = command.get;
                get(path, (status, body) => report("http", {"path": path, "status": status, "body": body}));
            } else if (command.quit) {
                if (socket.status !== WebSocket.Open) {
                    ended(0);
                    return;
                }
                send({"type": "exiter", "exiter": nickname});
                socket.active = false;
            } else {
                fail("unknown command " + line);
            }
        } catch (error) {
            fail(String(error));
        }
    }

    function accept(text) {
        const frame = JSON.parse(text);
        if (frame.type === undefined) {
            printRaw("untyped", text);
            return;
        }
        printRaw("frame", text);
        if (frame.type === "image")
            picture.source = "data:image/png;base64," + frame.image_data;
    }

    WebSocket {
        id: socket

        onTextMessageReceived: text => {
            try {
                plugin.accept(text);
            } catch (error) {
                plugin.fail(String(error));
            }
        }
        onStatusChanged: {
            switch (status) {
            case WebSocket.Open:
                plugin.report("opened", {});
                plugin.send({"type": "newcomer", "newcomer": plugin.nickname});
                break;
            case WebSocket.Closed:
                plugin.report("closed", null);
                plugin.ended(0);
                break;
            case WebSocket.Error:
                plugin.fail(errorString);
                break;
            }
        }
    }

    Image {
        id: picture

        onStatusChanged: {
            if (status === Image.Ready) {
                plugin.report("image", [sourceSize.width, sourceSize.height]);
                source = "";
            } else if (status === Image.Error) {
                plugin.fail("`image_data` cannot be shown");
            }
        }
    }
}
