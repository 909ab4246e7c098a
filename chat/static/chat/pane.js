// Whether the details are open. On a desk they stand beside the thread, and that is kept on the device; on narrower screens
// they lie over it as a sheet, which is an entry of the history, so that Back closes it.

import { preferences } from "chat/preferences";

const DESK = matchMedia("(min-width: 1280px)");

export class Pane {
  /** `changed` is told whenever the answer may be another. */
  constructor(changed) {
    this._changed = changed;
    DESK.addEventListener("change", changed);
  }

  get isSheet() {
    return !DESK.matches;
  }

  get isOpen() {
    return this.isSheet ? history.state?.isSheet === true : preferences.get("details");
  }

  open() {
    if (this.isSheet) history.pushState({ ...history.state, isSheet: true }, "");
    else preferences.set("details", true);
    this._changed();
  }

  close() {
    if (!this.isSheet) {
      preferences.set("details", false);
      this._changed();
    } else if (this.isOpen) {
      history.back();
    }
  }

  /** What it was about is gone. */
  forget() {
    if (history.state?.isSheet) history.replaceState({ ...history.state, isSheet: false }, "");
  }
}
