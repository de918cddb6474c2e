// uWebSockets through Bun, for comparison with the relay in benches/load: each text is sent unchanged to all members of
// its room. It parses no JSON, which flatters it. With PRESENCE=on it announces the user count of each room, as a chat
// needs; otherwise it announces nothing.

const presence = Bun.env.PRESENCE === "on";
const [hostname, port] = (Bun.env.LISTEN ?? "127.0.0.1:0").split(":");
const members = new Map();

function count(room, change) {
  const number = (members.get(room) ?? 0) + change;
  members.set(room, number);
  if (presence) server.publish(room, `{"author":"internal","nb_users":${number}}`);
}

const server = Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    const room = /^\/room\/([^/]+)\/ws$/.exec(new URL(request.url).pathname)?.[1];
    if (room !== undefined && server.upgrade(request, { data: room })) return undefined;
    return new Response("no such room", { status: 404 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe(socket.data);
      count(socket.data, 1);
    },
    message(socket, text) {
      server.publish(socket.data, text);
    },
    close(socket) {
      count(socket.data, -1);
    },
  },
});

console.error(JSON.stringify({ address: `${server.hostname}:${server.port}` }));
