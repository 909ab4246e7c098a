// Where the button that had the focus is drawn no more, the focus goes to what is near it and not to the top of the page.

export class HeldFocus {
  /** `near` finds what takes it. */
  constructor(host, near) {
    this._host = host;
    this._near = near;
    this._had = false;
    host.addController(this);
  }

  hostUpdate() {
    this._had = this._host.contains(document.activeElement);
  }

  hostUpdated() {
    if (this._had) this.restore();
  }

  /** After a dialog, whose own return may find nothing. */
  restore() {
    if (document.activeElement === null || document.activeElement === document.body) this._near()?.focus();
  }
}
