// uWebSockets, by way of Bun, as the relay's counterpart in benches/load: a text said in a room goes to all its
// members, as it came. No JSON is read, which flatters it. With PRESENCE=on each room is told how many it has, as a
// chat needs it; otherwise it says nothing by itself.

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
