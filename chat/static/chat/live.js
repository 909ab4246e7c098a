// The one store, socket, outbox and sync of this page, made from what the server wrote into it.

import { Outbox } from "chat/outbox";
import { Receipts } from "chat/receipts";
import { Store } from "chat/store";
import { Sync } from "chat/sync";
import { useZone } from "samia/dates";
import { request } from "samia/http";
import { newId } from "samia/ids";
import { Keep } from "samia/keep";
import { page } from "samia/page";
import { Socket } from "samia/socket";
import { speak } from "samia/text";

speak(page.words);
useZone(page.user.timezone);

const DRAFT = "samia.draft.";
const OUT = "samia.out.";
const AHEAD_MS = Date.parse(page.now) - Date.now(); // the server's clock before ours

export const me = page.user.id;
export const limits = page.limits;
export const isAdmin = ["admin", "super_admin"].includes(page.user.role);

const keep = new Keep();
// What somebody else wrote on this device and did not send is not ours to keep.
for (const prefix of [DRAFT, OUT]) keep.wipe(prefix, `${prefix}${me}.`);

export const socket = new Socket({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat`,
  user: me,
});
export const store = new Store({ me, isWhole: page.next === null });
export const outbox = new Outbox({
  me,
  storage: keep,
  newId,
  post: ({ id, session, content, reply_to }) => socket.ask({ type: "send_message", id, session, content, reply_to }),
});
export const receipts = new Receipts({ store, send: (frame) => socket.send(frame) });
export const sync = new Sync({ store, outbox, receipts, socket });

export const drafts = {
  get: (session) => keep.get(`${DRAFT}${me}.${session}`) || "",
  set(session, text) {
    if (text) keep.set(`${DRAFT}${me}.${session}`, text);
    else keep.remove(`${DRAFT}${me}.${session}`);
  },
};

/** Now, by the server's clock. */
export function serverNow() {
  return Date.now() + AHEAD_MS;
}

/** How many messages wait or could not be sent, in whatever tab they were written. */
export function unsent() {
  return keep.entries(`${OUT}${me}.`).length;
}

/** Forget what we wrote here and did not send: for signing out. */
export function wipe() {
  for (const prefix of [DRAFT, OUT]) keep.wipe(`${prefix}${me}.`);
}

let following = page.next;

/** Whether older sessions are left to read. */
export function hasMoreSessions() {
  return following !== null;
}

export async function readMoreSessions() {
  const answer = await request("GET", `/api/chat/sessions?cursor=${encodeURIComponent(following)}`);
  following = answer.next;
  store.takeSessions(answer.results);
}

const reading = new Map(); // by session, the page on its way

/** Read a page of a thread into the store: the newest, or the one before what is held. Raises Problem. */
export function readPage(session, before = null) {
  const underway = reading.get(session);
  if (underway?.before === before) return underway.page;
  // One after the other: what changes while a page is on its way is kept for that one.
  const page = (underway?.page ?? Promise.resolve()).catch(() => {}).then(() => takePage(session, before));
  const mine = { before, page };
  reading.set(session, mine);
  const done = () => reading.get(session) === mine && reading.delete(session);
  page.then(done, done);
  return page;
}

async function takePage(session, before) {
  store.expectPage(session);
  const query = before === null ? "" : `?before=${before}`;
  store.takePage(session, await request("GET", `/api/chat/sessions/${session}/messages${query}`), before);
}

store.takeSessions(page.sessions);
if (page.thread) store.takePage(page.thread.session, page.thread);
store.addEventListener("left", ({ detail }) => drafts.set(detail.id, ""));
