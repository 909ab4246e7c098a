// The one store, socket, outbox and sync of this page, made from what the server wrote into it.

import { drafts, keep, keptFiles, me } from "chat/device";
import { Outbox } from "chat/outbox";
import { Receipts } from "chat/receipts";
import { Store } from "chat/store";
import { Sync } from "chat/sync";
import { Uploads, formOf } from "chat/uploads";
import { useZone } from "samia/dates";
import { request, upload } from "samia/http";
import { newId } from "samia/ids";
import { page } from "samia/page";
import { Socket } from "samia/socket";
import { speak } from "samia/text";

speak(page.words);
useZone(page.user.timezone);
export { drafts, me };

const AHEAD_MS = Date.parse(page.now) - Date.now(); // the server's clock before ours

export const limits = page.limits;
export const isAdmin = ["admin", "super_admin"].includes(page.user.role);
export const isStaff = isAdmin || page.user.role === "monitor";

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
export const uploads = new Uploads({
  kept: keptFiles,
  newId,
  limits,
  post: (entry, options) =>
    upload(`/api/chat/sessions/${entry.session}/${entry.kind === "voice" ? "voice" : "upload"}`, formOf(entry), options),
});
export const receipts = new Receipts({ store, send: (frame) => socket.send(frame) });
export const sync = new Sync({ store, outbox, receipts, socket });

/** Now, by the server's clock. */
export function serverNow() {
  return Date.now() + AHEAD_MS;
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

/** Read a page of a thread into the store: the newest, or the one that `where` names (store.takePage). Raises Problem. */
export function readPage(session, where = {}) {
  const query = new URLSearchParams(where.from ? { after: where.from - 1 } : where).toString();
  const underway = reading.get(session);
  if (underway?.query === query) return underway.page;
  // One after the other: what changes while a page is on its way is kept for that one.
  const page = (underway?.page ?? Promise.resolve()).catch(() => {}).then(() => takePage(session, where, query));
  const mine = { query, page };
  reading.set(session, mine);
  const done = () => reading.get(session) === mine && reading.delete(session);
  page.then(done, done);
  return page;
}

async function takePage(session, where, query) {
  store.expectPage(session);
  store.takePage(session, await request("GET", `/api/chat/sessions/${session}/messages${query && `?${query}`}`), where);
}

store.takeSessions(page.sessions);
if (page.thread) store.takePage(page.thread.session, page.thread);
store.addEventListener("left", ({ detail }) => {
  drafts.set(detail.id, "");
  uploads.forgetSession(detail.id);
});
uploads.addEventListener("sent", ({ detail }) => store.keepMessage(detail));
sync.addEventListener("state", ({ detail }) => {
  if (detail !== "level") return;
  uploads.wake();
  uploads.resume();
});
