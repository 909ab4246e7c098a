// Sessions that make no noise: for how long, and how that is said.

import { clock, day, dayKey } from "samia/dates";
import { t } from "samia/text";

const HOUR_MS = 3_600_000;
const FOREVER = "2999-12-31T00:00:00Z"; // until it is unmuted
const LONG_MS = 365 * 24 * HOUR_MS;

/** Whether a session of ours makes no noise now. */
export function isMuted(session, now = Date.now()) {
  return Date.parse(session.mine?.muted_until ?? "") > now;
}

/** {label, until}: for how long one may mute, from now on. */
export function muteChoices(now) {
  const after = (hours) => new Date(now + hours * HOUR_MS).toISOString();
  return [
    { label: t("For 1 hour"), until: after(1) },
    { label: t("For 8 hours"), until: after(8) },
    { label: t("Until you unmute it"), until: FOREVER },
  ];
}

/** Muted, Muted until 14:30, Muted until 12 November 14:30 */
export function mutedWords({ mine }, now = Date.now()) {
  const until = mine.muted_until;
  if (Date.parse(until) - now > LONG_MS) return t("Muted");
  const time = dayKey(until) === dayKey(now) ? clock(until) : `${day(until, now)} ${clock(until)}`;
  return t("Muted until {time}", { time });
}
