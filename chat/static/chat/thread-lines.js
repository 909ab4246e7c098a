// The lines of the thread that is shown, and their templates, as long as nothing of it changes.
//
// Whoever scrolls has the thread drawn in many frames one after the other, each time with eight lines that are new (window.js).
// To work out all lines for that, of a thousand messages that may be held, and the templates of the hundred that stay, with
// their names, ticks, dates and rights, would take a slow phone longer than the frame.

import { gridded } from "chat/grid";
import { templateOf } from "chat/line-templates";
import { inPlace, linesOf } from "chat/lines";
import { me, outbox, store } from "chat/live";
import { dayKey } from "samia/dates";

const days = new WeakMap(); // by message: a calendar takes its time, and a thread is drawn often

export class ThreadLines {
  constructor() {
    this.begin();
  }

  /** Another thread. */
  begin() {
    this.all = [];
    this._lastOwn = null;
    this._templates = new WeakMap(); // by line
    this.change();
  }

  /** Something has changed that lines are made of or drawn from. */
  change() {
    this._isOld = true;
  }

  /** Make them of what is held of a session, if something has changed. Others' messages after `newAfter` are new. */
  make(session, newAfter) {
    if (!this._isOld) return;
    this._isOld = false;
    this._templates = new WeakMap();
    const sent = sentOf(session);
    const pending = pendingOf(session);
    // How far the last own one has come is said below it, unless later ones are not loaded.
    this._lastOwn = session.hasNewer ? null : [...sent, ...pending].findLast((one) => one.sender === me)?.id;
    this.all = gridded(allOf(session, sent, pending, newAfter));
  }

  /**
   * How to draw a line. `isStop`: the Tab key stops at it, which follows what is in sight and so is asked for each time. The
   * rest, {session, pages, focused}, is the same until something changes (templateOf).
   */
  template(line, isStop, thread) {
    const known = this._templates.get(line);
    if (known?.isStop === isStop) return known.template;
    const template = templateOf(line, { ...thread, isStop, lastOwn: this._lastOwn });
    this._templates.set(line, { template, isStop });
    return template;
  }
}

/** All messages of a session that are drawn, in order. */
export function messagesOf(session) {
  return [...sentOf(session), ...pendingOf(session)];
}

function sentOf(session) {
  return inPlace(session.ordered(), session.held.values(), session);
}

/** What is on its way to the server, as the messages that it will be. */
function pendingOf(session) {
  return outbox
    .of(session.id)
    .filter((entry) => !session.messages.has(entry.id))
    .map((entry) => ({ ...entry, sender: me, type: "text", status: "sent", entry }));
}

function allOf(session, sent, pending, newAfter) {
  const newCount = () => session.othersAfter(newAfter, me);
  const between = (messages) => linesOf({ messages, me, newAfter, newCount, dayOf });
  const lines = session.hasNewer
    ? [...between(sent), { kind: "newer", key: "newer" }, ...between(pending)]
    : between([...sent, ...pending]);
  if (session.hasOlder) lines.unshift({ kind: "older", key: "older" });
  else if (!lines.length) lines.push({ kind: "nothing", key: "nothing" });
  if (!session.hasNewer && store.writers(session).length) lines.push({ kind: "writers", key: "writers" });
  return lines;
}

function dayOf(message) {
  if (!days.has(message)) days.set(message, dayKey(message.created_at));
  return days.get(message);
}
