// What this person wrote on this device and did not send: kept here until it is, or until he signs out.

import { KeptFiles } from "chat/kept-files";
import { Keep } from "samia/keep";
import { page } from "samia/page";

const DRAFT = "samia.draft.";
const OUT = "samia.out.";
const WIPING_MS = 1_000; // a database that does not answer keeps nobody here

export const me = page.user.id;
export const keep = new Keep();
export const keptFiles = new KeptFiles({ me });
// What somebody else wrote on this device and did not send is not ours to keep.
for (const prefix of [DRAFT, OUT]) keep.wipe(prefix, `${prefix}${me}.`);

export const drafts = {
  get: (session) => keep.get(`${DRAFT}${me}.${session}`) || "",
  set(session, text) {
    if (text) keep.set(`${DRAFT}${me}.${session}`, text);
    else keep.remove(`${DRAFT}${me}.${session}`);
  },
};

/** How many messages wait or could not be sent, in whatever tab they were written. `here`: files of this tab, kept or not. */
export async function unsent(here = 0) {
  const files = await keptFiles.count().catch(() => 0);
  return keep.entries(`${OUT}${me}.`).length + Math.max(files, here);
}

/** Forget all of it: for signing out. */
export async function wipe() {
  for (const prefix of [DRAFT, OUT]) keep.wipe(`${prefix}${me}.`);
  const late = new Promise((resolve) => setTimeout(resolve, WIPING_MS));
  await Promise.race([keptFiles.wipe().catch(() => {}), late]);
}

/** To the door, and back here after it: signed out elsewhere, or the account was closed. */
export async function leave() {
  await wipe();
  location.replace(`${page.sign_in}?next=${encodeURIComponent(location.pathname)}`);
}
