// A thread as it is drawn, line by line: days, the mark of what is new, messages in groups.

const GROUP_MS = 10 * 60 * 1000;

/**
 * The lines of a thread: {kind: "day", key, at}, {kind: "unread", key, count}, and {kind: "message", key, message, isOwn,
 * isFirst, isLast} where first and last are those of a group: one sender, one day, no pause longer than ten minutes.
 *
 * `newAfter` is the seq after which messages of others are new; null draws no mark. `dayOf(at)` is the calendar day.
 */
export function linesOf({ messages, me, newAfter = null, dayOf }) {
  const lines = [];
  let day = null;
  let previous = null;
  let isMarked = newAfter === null;
  for (const message of messages) {
    const thisDay = dayOf(message.created_at);
    if (thisDay !== day) {
      lines.push({ kind: "day", key: `day-${message.id}`, at: message.created_at });
      day = thisDay;
      previous = null;
    }
    if (!isMarked && message.seq > newAfter && message.sender !== me) {
      const count = messages.filter((one) => one.seq > newAfter && one.sender !== me).length;
      lines.push({ kind: "unread", key: "unread", count });
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
    Date.parse(other.created_at) - Date.parse(one.created_at) < GROUP_MS
  );
}
