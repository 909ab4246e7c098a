// What this person wrote on this device and did not send: kept here until it is, or until he signs out.

import { Keep } from "samia/keep";
import { page } from "samia/page";

const DRAFT = "samia.draft.";
const OUT = "samia.out.";

export const me = page.user.id;
export const keep = new Keep();
// What somebody else wrote on this device and did not send is not ours to keep.
for (const prefix of [DRAFT, OUT]) keep.wipe(prefix, `${prefix}${me}.`);

export const drafts = {
  get: (session) => keep.get(`${DRAFT}${me}.${session}`) || "",
  set(session, text) {
    if (text) keep.set(`${DRAFT}${me}.${session}`, text);
    else keep.remove(`${DRAFT}${me}.${session}`);
  },
};

/** How many messages wait or could not be sent, in whatever tab they were written. */
export function unsentTexts() {
  return keep.entries(`${OUT}${me}.`).length;
}

/** Forget all of it: for signing out. */
export function wipe() {
  for (const prefix of [DRAFT, OUT]) keep.wipe(`${prefix}${me}.`);
}

/** To the door, and back here after it: signed out elsewhere, or the account was closed. */
export function leave() {
  wipe();
  location.replace(`${page.sign_in}?next=${encodeURIComponent(location.pathname)}`);
}
