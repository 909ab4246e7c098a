// A thread as it is drawn, line by line: days, the mark of what is new, messages in groups.

const GROUP_MS = 10 * 60 * 1000;

/**
 * The messages of a thread in the order in which they are drawn: published ones by number, and among them those that are
 * `held`, each at the time it was sent. One from before the first message that is loaded, or from after the last, comes with
 * its page.
 */
export function inPlace(published, held, { hasOlder, hasNewer }) {
  const found = [...published];
  const waiting = [...held].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
  for (const message of waiting) {
    const at = found.findIndex((one) => Date.parse(one.created_at) > Date.parse(message.created_at));
    if (at < 0 && hasNewer) continue;
    if (at !== 0 || !hasOlder) found.splice(at < 0 ? found.length : at, 0, message);
  }
  return found;
}

/**
 * The lines of a thread: {kind: "day", key, at}, {kind: "unread", key, count}, and {kind: "message", key, message, isOwn,
 * isFirst, isLast} where first and last are those of a group: one sender, one day, no pause longer than ten minutes.
 *
 * `newAfter` is the seq after which messages of others are new; null draws no mark. `newCount()` says how many those are.
 * `dayOf(message)` is the calendar day, as text that sorts.
 */
export function linesOf({ messages, me, newAfter = null, newCount = () => 0, dayOf }) {
  const lines = [];
  let day = null;
  let previous = null;
  let isMarked = newAfter === null;
  for (const message of messages) {
    const thisDay = dayOf(message);
    // What waited for approval is older than what stands before it: time does not go back for that.
    if (day === null || thisDay > day) {
      lines.push({ kind: "day", key: `day-${message.id}`, at: message.created_at });
      day = thisDay;
      previous = null;
    }
    if (!isMarked && message.seq > newAfter && message.sender !== me) {
      lines.push({ kind: "unread", key: "unread", count: newCount() });
      isMarked = true;
      previous = null;
    }
    const isFirst = !previous || !belongTogether(previous.message, message);
    if (!isFirst) previous.isLast = false;
    previous = {
      kind: "message",
      key: message.id,
      message,
      isOwn: message.sender === me,
      isFirst,
      isLast: true,
    };
    lines.push(previous);
  }
  return lines;
}

function belongTogether(one, other) {
  return (
    one.sender === other.sender &&
    one.type !== "system" &&
    other.type !== "system" &&
    Math.abs(Date.parse(other.created_at) - Date.parse(one.created_at)) < GROUP_MS
  );
}
