// The keys of a thread: arrows lead from message to message, Home and End to the first and the latest, Enter opens the menu.

export class ThreadKeys {
  /** `place` is where the thread is scrolled, `jumps` lead elsewhere; `openMenu(id, anchor)` is for the message with this id. */
  constructor({ place, jumps, openMenu }) {
    this._place = place;
    this._jumps = jumps;
    this._openMenu = openMenu;
  }

  /** A key was pressed in the thread: the event's current target. */
  keyed(event) {
    if (event.defaultPrevented) return;
    const current = event.target.closest("samia-message");
    const isOnMessage = current === event.target;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") this._step(event, current);
    else if (event.key === "Home" || event.key === "End") this._leap(event, current);
    else if (isOnMessage && (event.key === "Enter" || event.key === " " || event.key === "ContextMenu")) {
      this._openMenu(current.dataset.id, current.querySelector(".bubble"));
      event.preventDefault();
    }
  }

  /** To the message before or after; from outside of them to the last in sight. */
  _step(event, current) {
    const all = [...event.currentTarget.querySelectorAll("samia-message:not([hidden])")];
    const step = event.key === "ArrowUp" ? -1 : 1;
    const next = current ? all[all.indexOf(current) + step] : this._place.lastInSight;
    if (!next) return;
    event.preventDefault();
    focusOn(next);
  }

  /** To the first message of all, or to the latest; the focus goes along if it was on a message. */
  async _leap(event, current) {
    event.preventDefault();
    if (event.key === "End" && !current) {
      this._jumps.toEnd();
      return;
    }
    const element = await (event.key === "Home" ? this._jumps.toFirst() : this._jumps.toLast());
    if (element && current) focusOn(element);
  }
}

function focusOn(message) {
  message.focus({ preventScroll: true });
  message.scrollIntoView({ block: "nearest" });
}
