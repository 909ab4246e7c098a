// Asks before something is done, with a field where it needs a word, and does it: the dialog stays until it is done or given
// up, and says what was refused.

import { html, nothing, render } from "lit";
import { t } from "samia/text";

/** Why the server refused to do it. */
export function refusalWords({ code }) {
  const words = {
    forbidden: t("You may not do this."),
    last_member: t("A session that goes on needs somebody in it. End it, or add somebody first."),
    not_found: t("It is no longer here."),
    reason_needed: t("Say why: it is recorded."),
    session_state: t("The session has changed meanwhile, and that is not possible now."),
    too_fast: t("Too many attempts. Try again in a moment."),
    unknown_person: t("Nobody with an open account has this id."),
    unreachable: t("No connection. Try again in a moment."),
  };
  return words[code] ?? t("That did not work. Try again in a moment.");
}

/** A field for why. What is said there is recorded. */
export function reasonField() {
  return {
    label: t("Reason"),
    hint: t("It is recorded for our team. People in the session do not read it."),
    maxLength: 500,
    isLong: true,
    check: (value) => (value ? "" : t("Say why: it is recorded.")),
  };
}

/**
 * Ask for it and do it; true once it is done. `field`: {label, hint, maxLength, isLong, check(value): what is wrong with it or
 * "", choices: [{label, value}]}. `act(value)` does it, and raises Problem.
 */
export function ask({ title, text, yes, isDanger = false, field = null, act }) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.className = "ask";
    dialog.setAttribute("aria-labelledby", "ask-title");
    const now = { isBusy: false, trouble: "" };
    let isDone = false;
    const draw = () => render(view({ title, text, yes, isDanger, field, submit, choose, close }, now), dialog);
    const input = () => dialog.querySelector("[name=value]");
    const close = () => dialog.close();
    const choose = (value) => {
      input().value = value;
      input().focus();
    };

    async function submit(event) {
      event.preventDefault();
      if (now.isBusy) return;
      const value = field ? input().value.trim() : "";
      now.trouble = field?.check(value) ?? "";
      now.isBusy = !now.trouble;
      draw();
      if (now.trouble) {
        input().focus();
        return;
      }
      try {
        await act(value);
        isDone = true;
        close();
      } catch (problem) {
        Object.assign(now, { isBusy: false, trouble: refusalWords(problem) });
        draw();
      }
    }

    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isDone);
    });
    draw();
    document.body.append(dialog);
    dialog.showModal();
  });
}

function view({ title, text, yes, isDanger, field, submit, choose, close }, { isBusy, trouble }) {
  return html`<form @submit=${submit} novalidate>
    <h2 id="ask-title" dir="auto">${title}</h2>
    <p>${text}</p>
    ${field ? fieldView(field, trouble, choose) : nothing}
    <p class="ask-trouble" id="ask-trouble" role="alert">${trouble}</p>
    <div class="row">
      <button type="button" class="btn" ?autofocus=${!field} @click=${close}>${t("Cancel")}</button>
      <button class="btn ${isDanger ? "btn-danger" : "btn-primary"}" ?disabled=${isBusy}>${yes}</button>
    </div>
  </form>`;
}

function fieldView({ label, hint, maxLength, isLong, choices = [] }, trouble, choose) {
  const isWrong = trouble ? "true" : nothing;
  return html`<div class="field">
    <label for="ask-value">${label}</label>
    ${isLong
      ? html`<textarea
          class="input"
          id="ask-value"
          name="value"
          rows="3"
          dir="auto"
          maxlength=${maxLength}
          aria-describedby="ask-hint ask-trouble"
          aria-invalid=${isWrong}
          autofocus
        ></textarea>`
      : html`<input
          class="input"
          id="ask-value"
          name="value"
          dir="ltr"
          autocomplete="off"
          spellcheck="false"
          maxlength=${maxLength}
          aria-describedby="ask-hint ask-trouble"
          aria-invalid=${isWrong}
          autofocus
        />`}
    <p class="muted" id="ask-hint">${hint}</p>
    ${choices.length
      ? html`<div class="chips">
          ${choices.map(
            (one) => html`<button type="button" class="chip" @click=${() => choose(one.value)}><span dir="auto">${one.label}</span></button>`,
          )}
        </div>`
      : nothing}
  </div>`;
}
