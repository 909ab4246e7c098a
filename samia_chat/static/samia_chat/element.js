// The base of our elements. They render into the page itself and not into a shadow tree: the page's style sheets apply,
// labels reach across, and what the server painted is replaced in the same turn in which the live thing is drawn.

import { LitElement } from "lit";

export class Element extends LitElement {
  createRenderRoot() {
    this.replaceChildren();
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this._listening = new AbortController();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._listening.abort();
  }

  /** Listen for as long as the element is in the page. Call it from connectedCallback. */
  listen(target, type, handler) {
    target.addEventListener(type, handler, { signal: this._listening.signal });
  }
}
