// The sessions that go on, as staff see them. It draws what it is given and tells what is wanted: `samia:filter`, `samia:verb`,
// `samia:more`, `samia:again`.

import { html, nothing, repeat } from "lit";
import { statusWords } from "chat/approval-words";
import { me } from "chat/device";
import { HeldFocus } from "chat/held-focus";
import { avatar } from "chat/marks";
import { colourOf, initialsOf, pictureOf, subjectOf, titleOf } from "chat/names";
import { verbLook, verbsFor } from "chat/session-acts";
import { listTime } from "samia/dates";
import { Element } from "samia/element";
import { icon } from "samia/icons";
import { page } from "samia/page";
import { t, tn } from "samia/text";

const SHOWN = ["lock", "unlock", "end"]; // the others are in the session's details

class SamiaLiveList extends Element {
  static properties = {
    sessions: { attribute: false }, // null while they are on their way
    filter: { attribute: false }, // {status, type}
    hasMore: { attribute: false },
    isReading: { attribute: false },
    problem: { attribute: false }, // why they could not be read
  };

  constructor() {
    super();
    this.sessions = null;
    this.filter = { status: "active", type: "all" };
    this.hasMore = false;
    this.isReading = false;
    this.problem = null;
    this._focus = new HeldFocus(this, () => this.querySelector("[aria-pressed=true]"));
  }

  async restoreFocus() {
    await this.updateComplete;
    this._focus.restore();
  }

  _tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  render() {
    return html`<div class="live-tools">
        ${this._chips("status", t("Status"), statuses())}${this._chips("type", t("Type"), types())}
      </div>
      <p class="vh" role="status">${this.sessions ? tn("{count} session", "{count} sessions", this.sessions.length) : ""}</p>
      <div class="live-body" tabindex="0" role="region" aria-label=${t("Live sessions")} aria-busy=${this.isReading ? "true" : "false"}>
        ${this.problem ? this._trouble() : nothing}${this._rows()}
      </div>`;
  }

  _chips(name, label, choices) {
    return html`<div class="chips" role="group" aria-label=${label}>
      <span class="live-label" aria-hidden="true">${label}</span>
      ${choices.map(
        ([value, words]) =>
          html`<button
            type="button"
            class="chip"
            aria-pressed=${this.filter[name] === value ? "true" : "false"}
            @click=${() => this._tell("samia:filter", { [name]: value })}
          >
            <span>${words}</span>
          </button>`,
      )}
    </div>`;
  }

  _trouble() {
    const isAway = this.problem.code === "unreachable";
    return html`<div class="notice" role="alert">
      ${icon("alert")}
      <p>${isAway ? t("No connection. Try again in a moment.") : t("They could not be loaded.")}</p>
      <button type="button" class="link" @click=${() => this._tell("samia:again")}>${t("Try again")}</button>
    </div>`;
  }

  _rows() {
    if (!this.sessions) return this.problem ? nothing : skeleton();
    if (!this.sessions.length) return nobody();
    return html`<ul class="live-rows">
        ${repeat(
          this.sessions,
          ({ id }) => id,
          (session) => this._row(session),
        )}
      </ul>
      ${this.hasMore
        ? html`<button type="button" class="btn live-more" ?disabled=${this.isReading} @click=${() => this._tell("samia:more")}>
            ${t("Show more")}
          </button>`
        : nothing}`;
  }

  _row(session) {
    const { id, status } = session;
    const name = titleOf(session, me);
    const others = session.others(me);
    const subject = subjectOf(session);
    const verbs = verbsFor({ role: page.user.role, status }).filter((verb) => SHOWN.includes(verb));
    return html`<li class="live-row">
      ${avatar({ initials: initialsOf(name), colour: colourOf(others[0]?.user ?? id), picture: pictureOf(session, me) })}
      <div class="live-what">
        <p class="session-name truncate" dir="auto">${name}</p>
        <p class="live-about truncate">
          ${subject && subject !== name ? html`<span dir="auto">${subject}</span> · ` : nothing}<time datetime=${session.activeAt}
            >${listTime(session.activeAt)}</time
          >
        </p>
      </div>
      <div class="live-tags">
        <span class="tag ${session.type === "emergency" ? "tag-danger" : ""}">${typeWords(session.type)}</span
        ><span class="tag ${status === "active" ? "tag-ok" : ""}">${statusWords(status)}</span>
      </div>
      <div class="live-acts">
        <a class="btn" href="/sessions/${id}">${icon("eye")}<span>${t("Look in")}</span><span class="vh">${name}</span></a>
        ${repeat(
          verbs,
          (verb) => verb,
          (verb) => this._verb(verb, session, name),
        )}
      </div>
    </li>`;
  }

  _verb(verb, session, name) {
    const { label, icon: sign, iconClasses, isDanger } = verbLook(verb);
    return html`<button
      type="button"
      class="btn ${isDanger ? "btn-danger" : ""}"
      @click=${() => this._tell("samia:verb", { verb, session })}
    >
      ${icon(sign, iconClasses)}<span>${label}</span><span class="vh">${name}</span>
    </button>`;
  }
}

function statuses() {
  const named = ["active", "paused", "locked", "ended"].map((status) => [status, statusWords(status)]);
  return [["all", t("All")], ...named];
}

function types() {
  return [["all", t("All")], ...["booking", "support", "emergency", "general"].map((type) => [type, typeWords(type)])];
}

function typeWords(type) {
  return { booking: t("Booking"), support: t("Support"), emergency: t("Emergency") }[type] ?? t("General");
}

function nobody() {
  return html`<div class="empty">
    <span class="disc">${icon("eye")}</span>
    <h2>${t("Nothing here")}</h2>
    <p>${t("No session is in this selection.")}</p>
  </div>`;
}

function skeleton() {
  return html`<div class="live-rows" role="img" aria-label=${t("Loading")}>
    ${[1, 2, 3, 4].map(() => html`<div class="live-row"><span class="sk sk-av"></span><span class="sk w-40"></span></div>`)}
  </div>`;
}

customElements.define("samia-live-list", SamiaLiveList);
