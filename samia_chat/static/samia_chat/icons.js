// Icons of the page's sprite, as templates.

import { html } from "lit";

export function icon(name, classes = "") {
  return html`<svg class="i ${classes}" aria-hidden="true"><use href="#i-${name}"></use></svg>`;
}
