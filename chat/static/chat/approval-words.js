// Words of the page of approvals: how long something waits, who sent it, why nothing was decided.

import { lengthWords } from "chat/files";
import { day, dayKey } from "samia/dates";
import { page } from "samia/page";
import { number, t, tn } from "samia/text";

const AHEAD_MS = Date.parse(page.now) - Date.now(); // the server's clock before ours
const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;
const DAY_MINUTES = 24 * HOUR_MINUTES;

export function decidedWords(decided) {
  const words = {
    approved: t("Approved by somebody else"),
    rejected: t("Rejected by somebody else"),
    withdrawn: t("Deleted by its sender"),
  };
  return words[decided] ?? t("Somebody else has decided about it.");
}

export function minutesSince(at) {
  return Math.max(0, Math.floor((Date.now() + AHEAD_MS - Date.parse(at)) / MINUTE_MS));
}

/** now, 9 min, 3 h, 2 d */
export function agoWords(minutes) {
  if (minutes < 1) return t("now");
  if (minutes < HOUR_MINUTES) return t("{count} min", { count: number(minutes) });
  if (minutes < DAY_MINUTES) return t("{count} h", { count: number(Math.floor(minutes / HOUR_MINUTES)) });
  return t("{count} d", { count: number(Math.floor(minutes / DAY_MINUTES)) });
}

export function waitWords(minutes) {
  if (minutes < HOUR_MINUTES) return tn("{count} minute", "{count} minutes", minutes);
  if (minutes < DAY_MINUTES) return tn("{count} hour", "{count} hours", Math.floor(minutes / HOUR_MINUTES));
  return tn("{count} day", "{count} days", Math.floor(minutes / DAY_MINUTES));
}

/** Nothing for today: then the time says enough. */
export function dayWords(at) {
  return dayKey(at) === dayKey(Date.now() + AHEAD_MS) ? "" : `${day(at)} `;
}

export function length(file) {
  return file?.duration_ms ? lengthWords(file.duration_ms / 1000) : "–:––";
}

export function roleWords(role) {
  return { client: t("Client"), reader: t("Reader") }[role] ?? t("Staff");
}

export function statusWords(status) {
  const words = {
    active: t("Active"),
    paused: t("Paused"),
    locked: t("Locked"),
    ended: t("Ended"),
    archived: t("Archived"),
  };
  return words[status] ?? "–";
}

/** Why nothing was decided. */
export function refused({ code }) {
  const words = {
    already_reviewed: t("Somebody else has decided about it."),
    not_pending: t("It does not wait any more."),
    session_state: t("The session is over: it can only be rejected."),
    file_processing: t("The file is still being checked. Try again in a moment."),
    file_rejected: t("The file is harmful or damaged: it can only be rejected."),
    forbidden: t("You may not decide about your own."),
    unreachable: t("No connection. Try again in a moment."),
  };
  return words[code] ?? t("That did not work. Try again in a moment.");
}
