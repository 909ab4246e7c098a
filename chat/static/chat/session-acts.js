// What may be done with a session, by whom, and how it is asked for. The server decides (chat/access.py); this offers nothing
// in vain.

import { ask, reasonField } from "chat/ask";
import { request } from "samia/http";
import { t } from "samia/text";

const FROM = {
  pause: ["active"],
  resume: ["paused"],
  lock: ["active", "paused"],
  unlock: ["locked"],
  end: ["active", "paused", "locked"],
};
const OF_ROLES = {
  reader: ["pause", "resume", "end"], // in sessions whose reader he is
  monitor: ["lock", "unlock"],
  admin: Object.keys(FROM),
  super_admin: Object.keys(FROM),
};
const ICONS = { pause: "pause", resume: "play", lock: "lock", unlock: "lock", end: "signout" };

/** The verbs that a person with this role may use on a session in this state. `isItsReader`: he reads for the client in it. */
export function verbsFor({ role, isItsReader, status }) {
  const verbs = role === "reader" && !isItsReader ? [] : (OF_ROLES[role] ?? []);
  return verbs.filter((verb) => FROM[verb].includes(status));
}

/** {label, icon, iconClasses, isDanger}: how a verb stands on a button. */
export function verbLook(verb) {
  const labels = { pause: t("Pause"), resume: t("Resume"), lock: t("Lock"), unlock: t("Unlock"), end: t("End session") };
  return { label: labels[verb], icon: ICONS[verb], iconClasses: verb === "end" ? "i-flip" : "", isDanger: verb === "end" };
}

function questions(verb) {
  return {
    pause: [t("Pause this session?"), t("Nobody can write until it is resumed. Everybody in it can still read.")],
    resume: [t("Resume this session?"), t("Everybody in it can write again.")],
    lock: [t("Lock this session?"), t("Nobody can write until our team unlocks it. Everybody in it can still read.")],
    unlock: [t("Unlock this session?"), t("Everybody in it can write again.")],
    end: [t("End this session?"), t("Nobody can write in it any more, and it cannot be opened again. Everybody in it can still read.")],
  }[verb];
}

/** What is said once it is done. */
export function doneWords(verb) {
  return {
    pause: t("The session is paused."),
    resume: t("The session goes on."),
    lock: t("The session is locked."),
    unlock: t("The session is unlocked."),
    end: t("The session has ended."),
  }[verb];
}

/** Ask, with a reason where one is due, and do it; true once it is done. `name`: how the session is called. */
export function change({ id, name, verb, role }) {
  const [title, text] = questions(verb);
  const isReasoned = role !== "reader" && ["lock", "unlock", "end"].includes(verb);
  const { label, isDanger } = verbLook(verb);
  return ask({
    title,
    text: `${name}. ${text}`,
    yes: label,
    isDanger,
    field: isReasoned ? reasonField() : null,
    act: (reason) => request("POST", `/api/chat/sessions/${id}/${verb}`, reason ? { reason } : {}),
  });
}
