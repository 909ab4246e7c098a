// The page of settings: what is one's own, on the account and on this device.

import "samia/theme";
import "samia/toasts";
import { html, repeat } from "lit";
import { allowNotices } from "chat/notices";
import "chat/own-picture";
import { preferences } from "chat/preferences";
import { clock, day, useZone } from "samia/dates";
import { Element } from "samia/element";
import { request } from "samia/http";
import { icon } from "samia/icons";
import { page } from "samia/page";
import { speak, t } from "samia/text";
import { toast } from "samia/toasts";

speak(page.words);
useZone(page.user.timezone);

const REFUSALS = {
  password_wrong: () => t("The present password is wrong."),
  password_weak: () => t("The new password is too easy to guess. Take at least 10 characters that are not a common word."),
  too_fast: () => t("Too many attempts. Try again in a moment."),
};

/** Where this account is signed in, and an end to each. */
class SamiaDevices extends Element {
  static properties = { _devices: { state: true } };

  constructor() {
    super();
    this._devices = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this._read();
  }

  async _read() {
    try {
      this._devices = (await request("GET", "/api/auth/devices")).results;
    } catch {
      toast({ icon: "alert", text: t("That did not work. Try again in a moment."), isBad: true });
    }
  }

  async _end(device) {
    await carryOut(async () => {
      await request("DELETE", `/api/auth/devices/${device.id}`);
      toast({ icon: "check", text: t("That device is signed out.") });
    });
    this._read();
  }

  render() {
    if (!this._devices) return html`<p class="muted" aria-busy="true">${t("Loading")}</p>`;
    return html`<ul class="devices" role="list">
      ${repeat(
        this._devices,
        (device) => device.id,
        (device) =>
          html`<li>
            <span class="disc">${icon(device.kind === "cookie" ? "globe" : "lock")}</span>
            <div>
              <p><bdi>${agentName(device.user_agent)}</bdi>${device.is_this ? html` <span class="tag">${t("This device")}</span>` : ""}</p>
              <p class="muted">
                ${t("Last used {time}", { time: `${day(device.last_used_at)} ${clock(device.last_used_at)}` })}${device.address
                  ? html` · <bdi>${device.address}</bdi>`
                  : ""}
              </p>
            </div>
            ${device.is_this
              ? ""
              : html`<button type="button" class="btn btn-danger" @click=${() => this._end(device)}>${t("Sign out")}</button>`}
          </li>`,
      )}
    </ul>`;
  }
}

customElements.define("samia-devices", SamiaDevices);

/** Firefox on Windows, in as many words as can be told from what a browser says of itself. */
export function agentName(agent) {
  const browser = /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrome\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : "";
  const system = /Android/.test(agent) ? "Android" : /iPhone|iPad/.test(agent) ? "iOS" : /Windows/.test(agent) ? "Windows" : /Mac OS X/.test(agent) ? "macOS" : /Linux/.test(agent) ? "Linux" : "";
  return [browser, system].filter(Boolean).join(" · ") || t("A program");
}

async function carryOut(act) {
  try {
    return await act();
  } catch (problem) {
    toast({ icon: "alert", text: (REFUSALS[problem.code] ?? (() => t("That did not work. Try again in a moment.")))(), isBad: true });
    return null;
  }
}

const profile = document.getElementById("profile");
profile.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { display_name: name, timezone } = Object.fromEntries(new FormData(profile));
  const me = await carryOut(() => request("PATCH", "/api/me", { display_name: name, timezone }));
  if (me) toast({ icon: "check", text: t("Saved.") });
});

const password = document.getElementById("password-form");
password.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { current, new: wanted } = Object.fromEntries(new FormData(password));
  const isDone = await carryOut(async () => {
    await request("POST", "/api/me/password", { current, new: wanted });
    return true;
  });
  if (!isDone) return;
  password.reset();
  toast({ icon: "check", text: t("Your password is changed. Other devices are signed out.") });
  document.querySelector("samia-devices")._read();
});

for (const what of ["sounds", "notices"]) {
  const box = document.getElementById(what);
  box.checked = preferences.get(what);
  box.addEventListener("change", async () => {
    if (what === "notices" && box.checked && !(await allowNotices())) {
      box.checked = false;
      toast({ icon: "alert", text: t("This browser does not allow it. Its settings for this site do."), isBad: true });
    }
    preferences.set(what, box.checked);
  });
}
