// The peer: Socket.IO with its documented Redis adapter and a pool of pg, storing each message by a call of our own SQL
// function, app.send_chat_messages, as samia_app. So the database does the same for both: membership, numbering, replay
// check, row-level security, audit chain, cursors. What it leaves out, in its favour: sign-in (the person is named in the
// query), limits, receipts, order of events between processes, presence.
//
// CALLS=single: one call per message, on any connection of the pool. CALLS=batched: our batcher's way in Node, to tell
// what is the stack's and what is the design's: one call in flight, what arrives meanwhile is the next.
const http = require("http");
const { Server } = require("socket.io");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Pool } = require("pg");

const MAX_BATCH = 64;
const SEND =
  "SELECT code, seq, revision, created_at FROM app.send_chat_messages(" +
  "$1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[])";

const pool = new Pool({
  host: process.env.PG_FOLDER,
  database: process.env.PG_DATABASE,
  user: "samia_app",
  max: Number(process.env.PG_POOL || 10),
});

async function call(entries) {
  const column = (name) => entries.map((entry) => entry[name]);
  const answer = await pool.query({
    name: "send",
    text: SEND,
    values: [column("sender"), column("context"), column("session"), column("id"), column("content"), column("reply")],
  });
  return answer.rows;
}

const single = (entry) => call([entry]).then((rows) => rows[0]);

let waiting = [];
let isBusy = false;
function batched(entry) {
  return new Promise((resolve, reject) => {
    waiting.push({ ...entry, resolve, reject });
    if (!isBusy) storeWaiting();
  });
}

async function storeWaiting() {
  isBusy = true;
  while (waiting.length) {
    const batch = waiting.splice(0, MAX_BATCH).sort((a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : 0));
    try {
      const rows = await call(batch);
      batch.forEach((entry, index) => entry.resolve(rows[index]));
    } catch (error) {
      batch.forEach((entry) => entry.reject(error));
    }
  }
  isBusy = false;
}

const store = process.env.CALLS === "batched" ? batched : single;

const server = http.createServer((request, response) => response.end("ok"));
const io = new Server(server, { transports: ["websocket"], serveClient: false });

io.use((socket, next) => {
  const { user, role, session } = socket.handshake.query;
  socket.data.user = user;
  socket.data.context = JSON.stringify({
    role,
    address: "127.0.0.1",
    agent: socket.handshake.headers["user-agent"],
    salt: crypto.randomUUID(),
    request: socket.id,
  });
  socket.join(session);
  next();
});

io.on("connection", (socket) => {
  socket.on("send_message", async ({ session, id, content }, acknowledge) => {
    try {
      const { user: sender, context } = socket.data;
      const row = await store({ sender, context, session, id, content, reply: null });
      if (row.code !== "ok") return acknowledge({ code: row.code });
      const message = {
        id,
        session,
        sender,
        seq: Number(row.seq),
        revision: Number(row.revision),
        type: "text",
        status: "sent",
        content,
        reply_to: null,
        created_at: row.created_at,
        edited_at: null,
        deleted_at: null,
      };
      io.to(session).emit("new_message", { session, revision: message.revision, message });
      acknowledge({ code: "ok", message });
    } catch (error) {
      console.error(error);
      acknowledge({ code: "failed" });
    }
  });
});

const publisher = createClient({ socket: { path: process.env.REDIS_SOCKET } });
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) client.on("error", console.error);
Promise.all([publisher.connect(), subscriber.connect()]).then(() => {
  io.adapter(createAdapter(publisher, subscriber));
  server.listen(Number(process.env.PORT), "127.0.0.1");
});
