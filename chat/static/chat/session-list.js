// The list of sessions: who, what was said last, what is unread.

import { guard, html, nothing, repeat } from "lit";
import { drafts, hasMoreSessions, me, readMoreSessions, store } from "chat/live";
import { avatar, tickMark } from "chat/marks";
import { isMuted } from "chat/mute";
import { colourOf, finder, initialsOf, nameOf, pictureOf, subjectOf, titleOf, wordsOf } from "chat/names";
import { listTime } from "samia/dates";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { isPhone } from "samia/screen";
import { number, t, tn } from "samia/text";
import { toast } from "samia/toasts";

const FILTERS = {
  all: () => true,
  unread: (session) => session.mine?.unread > 0,
  bookings: (session) => session.type === "booking",
  support: (session) => session.type === "support",
  ended: (session) => session.isOver,
};
const KIND_ICONS = { audio: "mic", image: "image", video: "image", file: "file" };
const LEAST_ROW_PX = 60; // of a page just opened, the rows that can be in sight are drawn at once,
const STEP = 3; // and so many in each frame after it: a slow phone takes 10 ms for each, and wants to be touched
const REFRESH_MS = 30_000; // "Today" turns into "Yesterday", a signal of writing that was lost ends

class SamiaSessionList extends Element {
  static properties = {
    session: { type: String }, // the one that is open
    _filter: { state: true },
    _query: { state: true }, // what is looked for in names and titles
    _isReading: { state: true },
    _refreshes: { state: true },
    _drawn: { state: true }, // rows; all, once they have been
  };

  constructor() {
    super();
    this._filter = "all";
    this._query = "";
    this._isReading = false;
    this._refreshes = 0;
    this._drawn = 0;
  }

  connectedCallback() {
    this._query = this.querySelector("input")?.value ?? ""; // typed before this was alive
    // By the screen's height: to measure what the server painted, the browser would lay it out once more, to be thrown away.
    this._drawn = this.session && isPhone() ? 0 : Math.ceil(innerHeight / LEAST_ROW_PX);
    super.connectedCallback();
    this.listen(store, "change", () => this.requestUpdate());
    this.listen(document, "samia:draft", () => this.requestUpdate());
    this._refresh = setInterval(() => (this._refreshes += 1), REFRESH_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this._refresh);
  }

  updated() {
    if (this._drawn === Infinity) return;
    const isWhole = this._drawn >= store.sessions.size;
    requestAnimationFrame(() => (this._drawn = isWhole ? Infinity : this._drawn + STEP));
  }

  async _more() {
    this._isReading = true;
    try {
      await readMoreSessions();
    } catch {
      toast({ icon: "alert", isBad: true, text: t("No connection. Try again in a moment.") });
    } finally {
      this._isReading = false;
    }
  }

  render() {
    const all = store.list();
    const shown = this._shown(all);
    return html`<div class="list-tools">
        ${this._search()}
        <div class="chips" role="group" aria-label=${t("Filter")}>
          ${this._chip("all", t("All"))}${this._chip("unread", t("Unread"), store.unreadSessions)}
          ${this._chip("bookings", t("Bookings"))}${this._chip("support", t("Support"))}${this._chip("ended", t("Ended"))}
        </div>
      </div>
      <p class="vh" role="status">${this._query ? tn("{count} found", "{count} found", shown.length) : ""}</p>
      ${shown.length
        ? html`<ul class="sessions">
            ${repeat(
              shown.slice(0, this._drawn),
              ({ id }) => id,
              (session) => html`<li>${guard(this._seenIn(session), () => this._row(session))}</li>`,
            )}
            ${this._drawn < shown.length ? nothing : this._rest()}
          </ul>`
        : html`${this._none(all)}${all.length ? html`<ul class="sessions is-short">${this._rest()}</ul>` : nothing}`}`;
  }

  /** What the filter lets through, and the one that is open; while somebody is looked for, only what was found. */
  _shown(all) {
    if (!this._query.trim()) return all.filter((session) => FILTERS[this._filter](session) || session.id === this.session);
    const isFound = finder(this._query);
    return all.filter((session) => {
      const names = [...session.participants.values()].map(nameOf);
      return FILTERS[this._filter](session) && isFound([...names, session.title, subjectOf(session)]);
    });
  }

  _search() {
    return html`<label class="search"
      >${icon("search")}<span class="vh">${t("Search people")}</span
      ><input
        type="search"
        placeholder=${t("Search people")}
        dir="auto"
        autocomplete="off"
        enterkeyhint="search"
        .value=${this._query}
        @input=${({ target }) => (this._query = target.value)}
        @keydown=${this._searchKeyed}
    /></label>`;
  }

  _searchKeyed(event) {
    if (event.key !== "Escape" || !this._query) return;
    event.preventDefault();
    this._query = "";
  }

  _chip(name, label, count = 0) {
    return html`<button
      type="button"
      class="chip"
      aria-pressed=${this._filter === name ? "true" : "false"}
      @click=${() => (this._filter = name)}
    >
      <span>${label}</span>${count ? html`<span class="n">${number(count)}</span>` : nothing}
    </button>`;
  }

  _rest() {
    if (!hasMoreSessions()) return nothing;
    return html`<li class="more">
      ${this._query ? html`<p class="muted small">${t("Only the sessions that are loaded were searched.")}</p>` : nothing}
      <button type="button" class="btn btn-block" ?disabled=${this._isReading} @click=${this._more}>${t("Show more")}</button>
    </li>`;
  }

  _none(all) {
    const [title, text] = all.length
      ? [t("Nothing here"), this._query ? t("No name and no title is like that.") : t("No session is in this selection.")]
      : [t("Your sessions will appear here"), t("A private chat opens when a booking is confirmed.")];
    return html`<div class="empty">
      <span class="disc">${icon("chat")}</span>
      <h2>${title}</h2>
      <p>${text}</p>
    </div>`;
  }

  /** What a row shows, so that one that has not changed costs nothing. */
  _seenIn(session) {
    const isOpen = session.id === this.session;
    const draft = isOpen ? "" : drafts.get(session.id);
    return [session, session.version, isOpen, draft, store.writers(session).length, this._refreshes];
  }

  _row(session) {
    const name = titleOf(session, me);
    const others = session.others(me);
    const unread = session.mine?.unread ?? 0;
    const state = others.length === 1 ? store.presence.get(others[0].user)?.state : null;
    return html`<a
      class="session ${unread ? "unread" : ""}"
      href="/sessions/${session.id}"
      aria-current=${session.id === this.session ? "page" : nothing}
    >
      ${avatar({
        initials: initialsOf(name),
        colour: colourOf(others[0]?.user ?? session.id),
        picture: pictureOf(session, me),
        state,
      })}
      <div class="truncate">
        <div class="session-top">
          <span class="session-name truncate" dir="auto">${name}</span>${tag(session)}<time datetime=${session.activeAt}
            >${listTime(session.activeAt)}</time
          >
        </div>
        <div class="session-bot">
          <span class="session-last">${this._last(session)}</span>${muted(session)}${flag(session)}${unread
            ? html`<span class="badge"
                ><span aria-hidden="true">${number(unread)}</span
                ><span class="vh">${tn("{count} unread", "{count} unread", unread)}</span></span
              >`
            : nothing}
        </div>
      </div>
    </a>`;
  }

  _last(session) {
    const writers = store.writers(session);
    if (writers.length) {
      const isVoice = writers.every(({ kind }) => kind === "voice");
      return html`<span class="is-typing">${isVoice ? t("recording…") : t("typing…")}</span>`;
    }
    const draft = session.id === this.session ? "" : drafts.get(session.id);
    if (draft) return html`<span class="draft">${t("Draft:")}</span><span dir="auto">${draft}</span>`;
    const message = session.last;
    if (!message) return html`<span>${t("Nothing was written yet.")}</span>`;
    const isOwn = message.sender === me && !message.deleted_at;
    const isCrowd = !session.mine || session.others(me).length > 1;
    const kind = message.deleted_at ? "trash" : KIND_ICONS[message.type];
    return html`${isOwn ? tickMark(store.tick(session, message), "i-xs") : nothing}${kind
        ? icon(kind, "i-xs")
        : nothing}${isCrowd && !isOwn && message.sender
        ? html`<span class="from" dir="auto">${nameOf(session.participants.get(message.sender))}:</span>`
        : nothing}<span dir="auto">${wordsOf(message)}</span>`;
  }
}

function tag(session) {
  if (session.type === "emergency") return html`<span class="tag tag-danger">${t("Emergency")}</span>`;
  if (session.isOver) return html`<span class="tag">${t("Ended")}</span>`;
  return session.type === "support" ? html`<span class="tag">${t("Support")}</span>` : nothing;
}

function muted(session) {
  if (!isMuted(session)) return nothing;
  return html`<span class="session-flags" role="img" aria-label=${t("Muted")}>${icon("bell-off", "i-xs")}</span>`;
}

function flag({ status }) {
  if (status !== "locked" && status !== "paused") return nothing;
  const label = status === "locked" ? t("Locked") : t("Paused");
  return html`<span class="session-flags" role="img" aria-label=${label}>${icon("lock", "i-xs")}</span>`;
}

customElements.define("samia-session-list", SamiaSessionList);
