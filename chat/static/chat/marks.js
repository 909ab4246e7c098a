// Small drawn signs: how far a message is, who is there.

import { html } from "lit";
import { icon } from "samia/icons";
import { t } from "samia/text";

const ICONS = { sending: "clock", sent: "check", delivered: "double", seen: "double", read: "double" };

function tickWords(tick) {
  return {
    sending: t("Sending"),
    sent: t("Sent"),
    delivered: t("Delivered"),
    seen: t("Seen"),
    read: t("Read"),
  }[tick];
}

export function tickMark(tick, size = "i-sm") {
  return html`<span class="st-${tick}" role="img" aria-label=${tickWords(tick)}>${icon(ICONS[tick], size)}</span>`;
}

/**
 * Of a voice message: "played" when somebody has heard our own, "new" while we have not heard another's; else "".
 * chat/painted_files.py says the same.
 */
export function heardOf({ type, seq, sender, played_by: players }, me, isMember) {
  if (type !== "audio" || seq === null) return "";
  if (sender === me) return players.length ? "played" : "";
  return isMember && !players.includes(me) ? "new" : "";
}

export function heardMark(heard) {
  if (!heard) return "";
  const [words, sign] = heard === "played" ? [t("Played"), icon("mic", "i-sm")] : [t("Not played yet"), ""];
  return html`<span class="heard-${heard}" role="img" aria-label=${words}>${sign}</span>`;
}

export function presenceWords(state) {
  return { online: t("Online"), away: t("Away"), offline: t("Offline") }[state];
}

/** `picture` is a file's id, or null. It lies over the initials: they are seen until it is there, and where it cannot be had. */
export function avatar({ initials, colour, picture = null, state, size = "" }) {
  return html`<span class="avatar av-${colour} ${size}"
    ><span aria-hidden="true">${initials}</span>${picture
      ? html`<img src="/api/chat/files/${picture}" alt="" width="44" height="44" loading="lazy" decoding="async" />`
      : ""}${state
      ? html`<span class="presence ${state}" role="img" aria-label=${presenceWords(state)}></span>`
      : ""}</span
  >`;
}
