// Who takes part in a session; administrators add and remove people here.

import { html, nothing, repeat } from "lit";
import { roleWords } from "chat/approval-words";
import { ask } from "chat/ask";
import { HeldFocus } from "chat/held-focus";
import { isAdmin, me, store } from "chat/live";
import { avatar, presenceWords } from "chat/marks";
import { colourOf, initialsOf, nameOf } from "chat/names";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { t } from "samia/text";
import { toast } from "samia/toasts";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ID_CHARS = 36;

class SamiaPeople extends Element {
  static properties = { session: { attribute: false } };

  constructor() {
    super();
    this._focus = new HeldFocus(this, () => this.querySelector("h3"));
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(store, "change", ({ detail }) => detail === this.session && this.requestUpdate());
  }

  async _add(session) {
    const all = [...session.participants.values()];
    const members = new Set(all.filter((person) => !person.left_at).map(({ user }) => user));
    const former = all.filter((person) => person.left_at).map((person) => ({ label: nameOf(person), value: person.user }));
    const isDone = await ask({
      title: t("Add a person"),
      text: t("Who joins reads everything from the first message."),
      yes: t("Add"),
      field: {
        label: t("The person's id"),
        hint: t("It stands in the administration, on the person's page."),
        maxLength: ID_CHARS,
        check(value) {
          if (!ID.test(value.toLowerCase())) return t("An id looks like this: {example}", { example: session.id });
          return members.has(value.toLowerCase()) ? t("This person takes part already.") : "";
        },
        choices: [...(members.has(me) ? [] : [{ label: t("You"), value: me }]), ...former.filter(({ value }) => value !== me)],
      },
      act: (user) => request("POST", `/api/chat/sessions/${session.id}/participants`, { user: user.toLowerCase() }),
    });
    if (isDone) toast({ icon: "check", text: t("The person takes part now.") });
    await this._done();
  }

  async _remove(session, person) {
    const name = nameOf(person);
    const isDone = await ask({
      title: t("Remove {name}?", { name }),
      text: t("The session closes for this person at once. What was written stays."),
      yes: t("Remove"),
      isDanger: true,
      act: () => request("DELETE", `/api/chat/sessions/${session.id}/participants/${person.user}`),
    });
    if (isDone) toast({ icon: "check", text: t("{name} no longer takes part.", { name }) });
    await this._done();
  }

  async _done() {
    await this.updateComplete;
    this._focus.restore();
  }

  render() {
    const session = store.get(this.session);
    if (!session) return nothing;
    const members = [...session.participants.values()].filter((person) => !person.left_at);
    return html`<section class="block" aria-labelledby="details-people">
      <div class="block-head"><h3 id="details-people" tabindex="-1">${t("People")}</h3></div>
      <ul class="people">
        ${repeat(
          members,
          ({ user }) => user,
          (person) => this._row(session, person),
        )}
      </ul>
      ${isAdmin && !session.isOver
        ? html`<div class="choices">
            <button type="button" @click=${() => this._add(session)}>${icon("plus")}<span>${t("Add a person")}</span></button>
          </div>`
        : nothing}
    </section>`;
  }

  _row(session, person) {
    const name = nameOf(person);
    const state = person.user === me ? null : store.presence.get(person.user)?.state;
    const about = [roleWords(person.role_in_session), state && presenceWords(state)].filter(Boolean).join(" · ");
    return html`<li>
      ${avatar({
        initials: initialsOf(name),
        colour: colourOf(person.user),
        picture: person.avatar,
        state,
        size: "avatar-sm",
      })}
      <div class="truncate">
        <p class="truncate"><span dir="auto">${name}</span>${person.user === me ? html` <span class="muted">(${t("You")})</span>` : nothing}</p>
        <p class="muted small">${about}</p>
      </div>
      ${isAdmin
        ? html`<button
            type="button"
            class="icon-btn"
            aria-label=${t("Remove {name}", { name })}
            title=${t("Remove {name}", { name })}
            @click=${() => this._remove(session, person)}
          >
            ${icon("close")}
          </button>`
        : nothing}
    </li>`;
  }
}

customElements.define("samia-people", SamiaPeople);
