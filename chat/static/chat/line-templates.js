// How the lines of a thread are drawn: each by one template, which makes one element. Which lines there are says lines.js.

import { html, nothing } from "lit";
import "chat/message";
import { me, store } from "chat/live";
import { heardOf } from "chat/marks";
import { mayDo } from "chat/message-acts";
import { isPicture, nameOf, wordsOf } from "chat/names";
import { nothingYet } from "chat/thread-states";
import { day } from "samia/dates";
import { icon } from "samia/icons";
import { t, tn } from "samia/text";

const KINDS = {
  day: ({ at }) => html`<div class="day" role="listitem">${day(at)}</div>`,
  unread: unreadMark,
  older: (_, { pages }) =>
    edge(pages.failed === "older", t("Loading older messages…"), t("Load older messages"), () => pages.loadOlder()),
  newer: (_, { pages }) =>
    edge(pages.failed === "newer", t("Loading newer messages…"), t("Load newer messages"), () => pages.loadNewer()),
  nothing: (_, { session }) => html`<div role="listitem">${nothingYet(session)}</div>`,
  writers: (_, { session }) => writersOf(session),
  message: (line, thread) => (line.message.type === "system" ? notice(line.message) : message(line, thread)),
};

/**
 * The template of a line. `thread` is what it may depend on besides: {session, pages, lastOwn, isStop, focused}, where `lastOwn`
 * is the id of our last message, `isStop` whether the Tab key stops at this line, and `focused(id)` is told of the focus.
 */
export function templateOf(line, thread) {
  return KINDS[line.kind](line, thread);
}

function unreadMark({ count }) {
  return html`<div class="unread-mark" role="listitem">
    <span>${tn("{count} new message", "{count} new messages", count)}</span>
  </div>`;
}

/** Where what is loaded ends, and the thread does not. */
function edge(isFailed, loading, again, load) {
  return html`<div class="system" role="listitem">
    ${isFailed ? html`<button type="button" class="btn" @click=${load}>${again}</button>` : loading}
  </div>`;
}

function writersOf(session) {
  const writers = store.writers(session);
  const isVoice = writers.every(({ kind }) => kind === "voice");
  const names = writers.map(({ user }) => nameOf(session.participants.get(user))).join(" · ");
  const label = isVoice
    ? tn("{names} is recording", "{names} are recording", writers.length, { names })
    : tn("{names} is typing", "{names} are typing", writers.length, { names });
  return html`<div class="msg first last" role="listitem">
    <div class="bubble typing" role="img" aria-label=${label}>
      ${isVoice ? icon("mic", "i-sm") : nothing}<i></i><i></i><i></i>
    </div>
  </div>`;
}

function notice({ content }) {
  return html`<div class="system" role="listitem">
    ${icon("info", "i-sm")}<span dir="auto">${content}</span>
  </div>`;
}

function message(line, { session, lastOwn, isStop, focused }) {
  const { message, isOwn, isFirst, isHidden } = line;
  const tick = isOwn ? tickOf(session, message) : null;
  const isCrowd = !session.mine || session.others(me).length > 1;
  const quoted = message.reply_to ? session.messages.get(message.reply_to) : null;
  return html`<samia-message
    class=${classesOf(line, tick)}
    role="listitem"
    tabindex=${isStop ? "0" : "-1"}
    data-id=${message.id}
    data-seq=${message.seq ?? nothing}
    ?hidden=${isHidden}
    .message=${message.entry ?? message}
    .tick=${tick}
    .name=${isFirst && !isOwn && isCrowd ? nameOf(session.participants.get(message.sender)) : ""}
    .quoteName=${quoted ? quoteName(session, quoted) : t("Earlier message")}
    .quoteText=${message.reply_to ? (quoted ? wordsOf(quoted) : t("Show the original message")) : null}
    .status=${statusOf(message, tick, lastOwn)}
    .isOwn=${isOwn}
    .heard=${heardOf(message, me, Boolean(session.mine))}
    .mayRecord=${isOwn && Boolean(session.mine) && session.status === "active"}
    .may=${mayDo(session, message)}
    .isStop=${isStop}
    @focus=${() => focused(message.id)}
  ></samia-message>`;
}

function classesOf({ message, isOwn, isFirst, isLast, cell }, tick) {
  const isHeld = message.status === "pending_approval" || message.status === "rejected";
  const classes = [
    "msg",
    isOwn && "own",
    isFirst && "first",
    isLast && "last",
    message.deleted_at && "gone",
    tick === "failed" && "failed",
    isPicture(message) && "pics",
    isHeld && "held",
    message.status === "rejected" && "refused",
    cell && `cell of-${cell.columns} col-${cell.column} end-${cell.after}`,
  ];
  return classes.filter(Boolean).join(" ");
}

function tickOf(session, message) {
  if (message.entry) return message.entry.state === "failed" ? "failed" : "sending";
  if (message.deleted_at || message.seq === null) return null;
  return store.tick(session, message);
}

function statusOf(message, tick, lastOwn) {
  if (tick === "failed") return sendRefused(message.entry.code);
  if (message.id !== lastOwn || message.deleted_at) return "";
  return { seen: t("Seen"), read: t("Read") }[tick] ?? "";
}

/** Why a message was not sent. */
function sendRefused(code) {
  const words = {
    session_state: t("Not sent: the session is closed for writing"),
    reply_unknown: t("Not sent: the message you answered is gone"),
  };
  return words[code] ?? t("Not sent");
}

function quoteName(session, quoted) {
  return quoted.sender === me ? t("You") : nameOf(session.participants.get(quoted.sender));
}
