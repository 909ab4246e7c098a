// What somebody wants on this device: sounds, notices, the details beside the thread, which microphone. Kept here and not in his account: a desk and a phone differ.

import { Keep } from "samia/keep";
import { page } from "samia/page";

const DEFAULTS = { sounds: true, notices: false, details: false, microphone: null };
const keep = new Keep();

function nameOf(what) {
  return `samia.prefer.${page.user.id}.${what}`;
}

export const preferences = {
  get: (what) => keep.get(nameOf(what)) ?? DEFAULTS[what],
  set: (what, value) => keep.set(nameOf(what), value),
};
