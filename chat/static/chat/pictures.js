// A picture as large as the window allows, and its neighbours in the thread by the arrow keys.

import { html, nothing, render, repeat } from "lit";
import { downloadLink } from "chat/attachments";
import { fileUrl } from "chat/files";
import { icon } from "samia/icons";
import { number, t } from "samia/text";

/** Show the picture of message `id`, among `messages` that are pictures. */
export function showPicture(messages, id) {
  const dialog = document.createElement("dialog");
  dialog.className = "viewer";
  let at = messages.findIndex((one) => one.id === id);
  const ahead = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = ahead === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const go = (to) => {
    if (!messages[to]) return;
    at = to;
    draw();
  };
  const draw = () =>
    render(
      picture(messages, at, go, () => dialog.close()),
      dialog,
    );
  const isOpen = new AbortController();
  // On the document: where the button that had the focus goes, the dialog has none.
  document.addEventListener("keydown", ({ key }) => (key === ahead ? go(at + 1) : key === back && go(at - 1)), isOpen);
  // A click beside the picture closes, as everybody tries.
  dialog.addEventListener("click", ({ target }) => target.closest("img, button, a, figcaption") || dialog.close());
  dialog.addEventListener("close", () => {
    isOpen.abort();
    dialog.remove();
  });
  draw();
  document.body.append(dialog);
  dialog.showModal();
}

function picture(messages, at, go, close) {
  const { file, content } = messages[at];
  const place = t("{at} of {length}", { at: number(at + 1), length: number(messages.length) });
  return html`<header>
      <div class="truncate">
        <h2 class="truncate" dir="auto">${file.name}</h2>
        ${messages.length > 1 ? html`<p class="num" role="status">${place}</p>` : nothing}
      </div>
      ${downloadLink(file)}
      <button type="button" class="icon-btn" aria-label=${t("Close")} title=${t("Close")} autofocus @click=${close}>
        ${icon("close")}
      </button>
    </header>
    <figure>
      ${step(at > 0, "chev-start", t("Previous picture"), () => go(at - 1))}
      ${repeat([messages[at]], ({ id }) => id, large)}
      ${step(at < messages.length - 1, "chev-end", t("Next picture"), () => go(at + 1))}
    </figure>
    ${content ? html`<p class="caption" dir="auto">${content}</p>` : nothing}`;
}

/** An element of its own for each: the one before is not seen while the next one comes. */
function large({ file, content }) {
  return html`<img
      src=${fileUrl(file)}
      alt=${content || file.name}
      width=${file.width ?? nothing}
      height=${file.height ?? nothing}
      @error=${broken}
    />
    <p class="trouble bad" role="status" hidden>
      ${icon("alert", "i-sm")}<span>${t("The picture could not be loaded.")}</span>
    </p>`;
}

function broken({ target }) {
  target.hidden = true;
  target.nextElementSibling.hidden = false;
}

function step(isThere, name, label, onClick) {
  return html`<button
    type="button"
    class="icon-btn round step"
    aria-label=${label}
    ?hidden=${!isThere}
    @click=${onClick}
  >
    ${icon(name, "i-flip")}
  </button>`;
}
