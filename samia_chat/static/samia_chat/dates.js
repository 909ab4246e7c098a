// Days and times as the reader's calendar and clock say them, in his time zone, wherever his device is.

import { locale, t } from "samia/text";

const DAY_MS = 24 * 3600 * 1000;
const QUARTER_MS = 15 * 60 * 1000; // every zone's days begin with one
const MOST_DAYS = 2_000;
let zone = "UTC";
const formats = new Map();
const days = new Map(); // by quarter of an hour: lists ask for the day of each of their lines, and formatting takes long

export function useZone(name) {
  zone = name;
  formats.clear();
  days.clear();
}

/** 10:52 */
export function clock(at) {
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

/** The calendar day as 2026-11-21: equal for moments of the same day. */
export function dayKey(at) {
  const quarter = Math.floor(new Date(at).getTime() / QUARTER_MS);
  let key = days.get(quarter);
  if (!key) {
    key = format({ year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA-u-nu-latn").format(quarter * QUARTER_MS);
    if (days.size >= MOST_DAYS) days.clear();
    days.set(quarter, key);
  }
  return key;
}

/** Today, Yesterday, Monday, 12 November, 12 November 2025 */
export function day(at, now = Date.now()) {
  const recent = recentDay(at, now);
  if (recent) return recent;
  const isThisYear = dayKey(at).slice(0, 4) === dayKey(now).slice(0, 4);
  return format({ day: "numeric", month: "long", ...(isThisYear ? {} : { year: "numeric" }) }).format(new Date(at));
}

/** For the list: the time today, else the day, as short as it can be said. */
export function listTime(at, now = Date.now()) {
  if (dayKey(at) === dayKey(now)) return clock(at);
  const recent = recentDay(at, now, "short");
  if (recent) return recent;
  const isThisYear = dayKey(at).slice(0, 4) === dayKey(now).slice(0, 4);
  return format({ day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }) }).format(new Date(at));
}

function recentDay(at, now, width = "long") {
  const daysAgo = Math.round((Date.parse(dayKey(now)) - Date.parse(dayKey(at))) / DAY_MS);
  if (daysAgo === 0) return t("Today");
  if (daysAgo === 1) return t("Yesterday");
  if (daysAgo > 1 && daysAgo < 7) return format({ weekday: width }).format(new Date(at));
  return "";
}

function format(options, language = locale()) {
  const key = language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language, { timeZone: zone, ...options }));
  return formats.get(key);
}
