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

export function presenceWords(state) {
  return { online: t("Online"), away: t("Away"), offline: t("Offline") }[state];
}

export function avatar({ initials, colour, state, size = "" }) {
  return html`<span class="avatar av-${colour} ${size}"
    ><span aria-hidden="true">${initials}</span>${state
      ? html`<span class="presence ${state}" role="img" aria-label=${presenceWords(state)}></span>`
      : ""}</span
  >`;
}
