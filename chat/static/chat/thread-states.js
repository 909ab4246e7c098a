// What stands in the place of a thread's lines, where there are none.

import { html, nothing } from "lit";
import { me } from "chat/live";
import { titleOf } from "chat/names";
import { icon } from "samia/icons";
import { t } from "samia/text";

export function noneChosen() {
  return empty({ name: "chat", title: t("Choose a chat"), text: t("Your messages will open here.") });
}

export function withdrawn() {
  const title = t("You no longer take part in this session");
  const text = t("Our team removed your access. Contact support if this is a mistake.");
  return empty({ name: "lock", title, text, action: html`<a class="btn" href="/">${t("Back to chats")}</a>` });
}

export function skeleton() {
  return html`<div class="sk-thread" role="status" aria-label=${t("Loading")}>
    <i class="sk w-40"></i><i class="sk tall w-55"></i><i class="sk end w-30"></i><i class="sk end tall w-40"></i>
    <i class="sk w-30"></i>
  </div>`;
}

/** It could not be read; `again()` tries once more. */
export function notLoaded(again) {
  const action = html`<button type="button" class="btn" @click=${again}>${icon("retry")}${t("Try again")}</button>`;
  const text = t("Your drafts are kept on this device. Try again, or come back in a minute.");
  return empty({ name: "alert", isBad: true, title: t("We could not load this chat"), text, action });
}

export function nothingYet(session) {
  if (session.status === "archived") {
    return empty({ name: "lock", title: t("This session is archived"), text: t("Our team keeps its messages.") });
  }
  const text = t("Nothing was written yet.");
  if (!session.mine || session.status !== "active") return empty({ name: "moon", title: text });
  return empty({ name: "moon", title: t("Say hello to {name}", { name: titleOf(session, me) }), text });
}

function empty({ name, title, text = "", action = nothing, isBad = false }) {
  return html`<div class="empty">
    <span class="disc ${isBad ? "bad" : ""}">${icon(name)}</span>
    <h1>${title}</h1>
    <p>${text}</p>
    ${action}
  </div>`;
}
