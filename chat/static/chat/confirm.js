// Asks before something that cannot be taken back.

import { html, render } from "lit";
import { t } from "samia/text";

/** Whether the user really wants to delete a message. */
export function confirmDeletion() {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "confirm-title");
    render(
      html`<form method="dialog">
        <h2 id="confirm-title">${t("Delete this message?")}</h2>
        <p>${t("It disappears for everybody in this session. Its place stays.")}</p>
        <div class="row">
          <button class="btn" value="keep" autofocus>${t("Keep it")}</button>
          <button class="btn btn-danger" value="delete">${t("Delete")}</button>
        </div>
      </form>`,
      dialog,
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "delete");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
