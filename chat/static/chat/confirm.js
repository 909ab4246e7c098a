// Asks before something that cannot be taken back.

import { html, render } from "lit";
import { t, tn } from "samia/text";

/** Whether the user really wants to delete a message. */
export function confirmDeletion() {
  const text = t("It disappears for everybody in this session. Its place stays.");
  return confirm({ title: t("Delete this message?"), text, no: t("Keep it"), yes: t("Delete") });
}

/** Whether the user really wants to sign out while so many messages are not sent. */
export function confirmSignOut(count) {
  const text = tn("{count} message was not sent and will be lost.", "{count} messages were not sent and will be lost.", count);
  return confirm({ title: t("Sign out?"), text, no: t("Cancel"), yes: t("Sign out") });
}

/** Whether the user really wants to throw a long recording away. */
export function confirmDiscard() {
  const text = t("It was not sent. It cannot be brought back.");
  return confirm({ title: t("Discard this recording?"), text, no: t("Keep it"), yes: t("Discard") });
}

function confirm({ title, text, no, yes }) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "confirm-title");
    render(
      html`<form method="dialog">
        <h2 id="confirm-title">${title}</h2>
        <p>${text}</p>
        <div class="row">
          <button class="btn" value="no" autofocus>${no}</button>
          <button class="btn btn-danger" value="yes">${yes}</button>
        </div>
      </form>`,
      dialog,
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
