// Beside the thread, or over it: who takes part, what was booked, what was shared, and what may be done with the session.

import { html, nothing } from "lit";
import "chat/people";
import "chat/shared-files";
import { statusWords } from "chat/approval-words";
import { HeldFocus } from "chat/held-focus";
import { me, serverNow, socket, store } from "chat/live";
import { avatar } from "chat/marks";
import { isMuted, muteChoices, mutedWords } from "chat/mute";
import { colourOf, initialsOf, pictureOf, titleOf } from "chat/names";
import { change, doneWords, verbLook, verbsFor } from "chat/session-acts";
import { there } from "chat/thread-head";
import { refusalWords } from "chat/ask";
import { clock, day } from "samia/dates";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { page } from "samia/page";
import { t, tn } from "samia/text";
import { toast } from "samia/toasts";

const REFRESH_MS = 30_000; // "Today" turns into "Yesterday", a mute ends
const { role } = page.user;

class SamiaDetails extends Element {
  static properties = {
    session: { attribute: false }, // the id of the one they are about; null: they are closed
    isSheet: { attribute: false }, // they lie over the thread
    _isMuting: { state: true }, // one is asked for how long
  };

  constructor() {
    super();
    this._isMuting = false;
    this._focus = new HeldFocus(this, () => this.querySelector(".pane-head .icon-btn"));
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this.requestUpdate());
    this._refresh = setInterval(() => this.requestUpdate(), REFRESH_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this._refresh);
  }

  willUpdate(changed) {
    if (!changed.has("session")) return;
    this._isMuting = false;
    if (this.session) this._askWhoIsThere(this.session);
  }

  /** The focus goes in. */
  async begin() {
    await this.updateComplete;
    this.querySelector(".pane-head .icon-btn")?.focus();
  }

  async _askWhoIsThere(session) {
    try {
      store.takePresence((await socket.ask({ type: "get_online_users", session })).users);
    } catch {
      // Without a connection nobody is known to be there; the next one asks again.
    }
  }

  async _mute(until) {
    const { session } = this;
    try {
      const mine = await request("PUT", `/api/chat/sessions/${session}/mute`, { until });
      store.mute(session, mine.muted_until);
      this._isMuting = false;
      await this.updateComplete;
      this.querySelector("[data-mute]")?.focus();
    } catch (problem) {
      toast({ icon: "alert", isBad: true, text: refusalWords(problem) });
    }
  }

  async _change(verb, session) {
    const isDone = await change({ id: session.id, name: titleOf(session, me), verb, role });
    if (isDone) toast({ icon: "check", text: doneWords(verb) });
    await this.updateComplete;
    this._focus.restore();
  }

  _close() {
    this.dispatchEvent(new CustomEvent("samia:details", { bubbles: true }));
  }

  // Drawing -------------------------------------------------------------------------------------------------------------

  render() {
    const session = store.get(this.session);
    if (!session) return nothing;
    return html`${this.isSheet ? html`<div class="sheet-ground" @click=${this._close}></div>` : nothing}
      <section
        class="details-pane"
        id="details"
        aria-label=${t("Details")}
        role=${this.isSheet ? "dialog" : nothing}
        aria-modal=${this.isSheet ? "true" : nothing}
      >
        <header class="pane-head">
          <h2>${t("Details")}</h2>
          <button type="button" class="icon-btn" aria-label=${t("Close details")} title=${t("Close details")} @click=${this._close}>
            ${icon("close")}
          </button>
        </header>
        ${this._person(session)}${booking(session.booking)}
        <samia-people .session=${session.id}></samia-people>
        <samia-shared-files .session=${session.id}></samia-shared-files>
        ${this._acts(session)}
      </section>`;
  }

  _person(session) {
    const others = session.others(me);
    const name = titleOf(session, me);
    const presence = others.length === 1 ? store.presence.get(others[0].user) : null;
    const colour = colourOf(others[0]?.user ?? session.id);
    const crowd = tn("{count} person", "{count} people", others.length + (session.mine ? 1 : 0));
    return html`<div class="person">
      ${avatar({ initials: initialsOf(name), colour, picture: pictureOf(session, me), state: presence?.state, size: "avatar-xl" })}
      <h3 dir="auto">${name}</h3>
      <p class="muted">${presence ? there(presence) : others.length > 1 ? crowd : nothing}</p>
      ${session.mine ? this._muting(session) : nothing}
    </div>`;
  }

  _muting(session) {
    const isQuiet = isMuted(session);
    return html`<div class="row">
        <button
          type="button"
          class="btn"
          data-mute
          aria-expanded=${isQuiet ? nothing : this._isMuting ? "true" : "false"}
          @click=${() => (isQuiet ? this._mute(null) : (this._isMuting = !this._isMuting))}
        >
          ${icon(isQuiet ? "bell" : "bell-off")}<span>${isQuiet ? t("Unmute") : t("Mute")}</span>
        </button>
      </div>
      ${this._isMuting && !isQuiet
        ? html`<div class="choices" role="group" aria-label=${t("Mute")}>
            ${muteChoices(serverNow()).map(
              ({ label, until }) =>
                html`<button type="button" @click=${() => this._mute(until)}>${icon("clock")}<span>${label}</span></button>`,
            )}
          </div>`
        : nothing}
      <p class="muted small" role="status">${isQuiet ? mutedWords(session) : ""}</p>`;
  }

  _acts(session) {
    const isItsReader = session.participants.get(me)?.role_in_session === "reader" && Boolean(session.mine);
    const verbs = verbsFor({ role, isItsReader, status: session.status });
    return html`<section class="block" aria-labelledby="details-session">
      <div class="block-head">
        <h3 id="details-session">${t("Session")}</h3>
        <span class="tag ${session.status === "active" ? "tag-ok" : ""}">${statusWords(session.status)}</span>
      </div>
      <dl class="facts">
        <dt>${t("Opened")}</dt>
        <dd>${moment(session.createdAt)}</dd>
        ${session.endedAt ? html`<dt>${t("Ended")}</dt><dd>${moment(session.endedAt)}</dd>` : nothing}
      </dl>
      ${verbs.length
        ? html`<div class="choices">
            ${verbs.map((verb) => {
              const { label, icon: name, iconClasses, isDanger } = verbLook(verb);
              return html`<button type="button" class=${isDanger ? "danger" : ""} @click=${() => this._change(verb, session)}>
                ${icon(name, iconClasses)}<span>${label}</span>
              </button>`;
            })}
          </div>`
        : nothing}
    </section>`;
  }
}

function booking(found) {
  if (!found) return nothing;
  const words = {
    pending: t("Waiting for confirmation"),
    confirmed: t("Confirmed"),
    in_progress: t("In progress"),
    completed: t("Completed"),
    cancelled: t("Cancelled"),
  };
  const looks = { in_progress: "tag-ok", confirmed: "tag-ok", cancelled: "tag-danger" };
  return html`<section class="block booking" aria-labelledby="details-booking">
    <div class="block-head">
      <h3 id="details-booking">${t("Booking")}</h3>
      <span class="tag ${looks[found.status] ?? ""}">${words[found.status] ?? found.status}</span>
    </div>
    <h4 dir="auto">${found.service}</h4>
    <p>
      <time datetime=${found.scheduled_at}>${moment(found.scheduled_at)}</time>${found.is_emergency
        ? html`<span class="tag tag-danger">${t("Emergency")}</span>`
        : nothing}
    </p>
  </section>`;
}

/** Today, 10:30 */
function moment(at) {
  return t("{day}, {time}", { day: day(at), time: clock(at) });
}

customElements.define("samia-details", SamiaDetails);
