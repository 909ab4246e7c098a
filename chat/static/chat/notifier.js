// What is said of messages that come while one looks elsewhere: a toast, a sound, the browser's own notice. Of several tabs the
// one that was last in front says it, so that nothing is said twice.

import { me, store } from "chat/live";
import { isMuted } from "chat/mute";
import { nameOf, wordsOf } from "chat/names";
import { preferences } from "chat/preferences";
import { t } from "samia/text";
import { toast } from "samia/toasts";

const LEADER = `samia.notifier.${me}`;
const QUIET_MS = 1_500; // between two sounds: a burst is one
const CHARS = 120;

export class Notifier {
  /** `isOpen(session)`: whether it is in front of the reader; `open(session)` puts it there. */
  constructor({ isOpen, open }) {
    this._isOpen = isOpen;
    this._open = open;
    this._isLeader = !navigator.locks; // a browser without locks has this tab only to ask
    this._soundedAt = 0;
    store.addEventListener("arrived", ({ detail }) => this._arrived(detail));
    store.addEventListener("change", () => this._badge());
    window.addEventListener("focus", () => this._lead({ steal: true }));
    this._lead(document.hasFocus() ? { steal: true } : {});
    this._badge();
  }

  /** Take the lead from whichever tab has it. It comes back when that one is in front again, or closed. */
  _lead(options) {
    if (!navigator.locks || this._isLeader) return;
    navigator.locks
      .request(LEADER, options, () => {
        this._isLeader = true;
        return new Promise(() => {});
      })
      .catch(() => {
        this._isLeader = false;
        this._lead({}); // stolen: wait until the other tab is closed
      });
  }

  _arrived(message) {
    const session = store.get(message.session);
    if (!this._isLeader || !session?.mine || isMuted(session)) return;
    const isInFront = document.visibilityState === "visible" && document.hasFocus();
    if (isInFront && this._isOpen(session.id)) return;
    this._sound();
    const name = nameOf(session.participants.get(message.sender));
    const text = wordsOf(message);
    if (document.visibilityState === "visible") {
      toast({
        icon: "chat",
        text: `${name}: ${text.length > CHARS ? `${text.slice(0, CHARS)}…` : text}`,
        action: { text: t("Open"), act: () => this._open(session.id) },
      });
    } else if (preferences.get("notices") && globalThis.Notification?.permission === "granted") {
      const notice = new Notification(name, { body: text.slice(0, CHARS), tag: session.id, icon: badgeLink()?.dataset.picture });
      notice.onclick = () => {
        window.focus();
        this._open(session.id);
        notice.close();
      };
    }
  }

  /** Two soft notes, made here: nothing is fetched for them. */
  _sound() {
    const now = Date.now();
    if (!preferences.get("sounds") || now - this._soundedAt < QUIET_MS) return;
    this._soundedAt = now;
    try {
      this._audio ??= new AudioContext();
      if (this._audio.state !== "running") return; // browsers let no page sound that was never touched
      [659.25, 880].forEach((hertz, at) => note(this._audio, hertz, at * 0.09));
    } catch {
      // No sound device.
    }
  }

  _badge() {
    const link = badgeLink();
    if (!link) return;
    const wanted = store.unreadSessions ? link.dataset.unread : link.dataset.plain;
    if (link.getAttribute("href") !== wanted) link.setAttribute("href", wanted);
  }
}

function badgeLink() {
  return document.querySelector("link[rel=icon][data-unread]");
}

function note(audio, hertz, delay) {
  const start = audio.currentTime + delay;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.06, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.22);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + 0.25);
}
