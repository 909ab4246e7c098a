// What can be done with a message, by whom, and how it is asked for. The server decides (chat/access.py); this offers nothing
// in vain.

import { confirmDeletion } from "chat/confirm";
import { isAdmin, limits, me, serverNow, store } from "chat/live";
import { heardOf } from "chat/marks";
import { request } from "samia/http";
import { t } from "samia/text";
import { toast } from "samia/toasts";

const told = new Set(); // voice messages of which we have said that they were played

/** What we can do with it just now: "reply copy edit delete", or some of these. */
export function mayDo(session, message) {
  const isOpen = session.status === "active" || session.status === "paused";
  if (message.status === "pending_approval") return message.sender === me && session.mine && isOpen ? "delete" : "";
  if (message.deleted_at || message.seq === null || message.seq === undefined || message.type === "system") return "";
  const found = message.content ? ["copy"] : [];
  if (session.mine && session.status === "active") found.unshift("reply");
  const age = serverNow() - Date.parse(message.created_at);
  const isInTime = isAdmin || age < limits.edit_seconds * 1000;
  if (message.sender === me && session.mine && isOpen && isInTime) {
    if (message.type === "text") found.push("edit");
    found.push("delete");
  }
  return found.join(" ");
}

/** Our last message, if it can still be changed. */
export function lastEditable(session) {
  const last = session.ordered().findLast((message) => message.sender === me);
  return last && mayDo(session, last).includes("edit") ? last : null;
}

export async function copy({ content }) {
  try {
    await navigator.clipboard.writeText(content);
    toast({ icon: "check", text: t("Copied") });
  } catch {
    toast({ icon: "alert", text: t("Your browser did not allow copying."), isBad: true });
  }
}

export async function remove({ id }) {
  if (!(await confirmDeletion())) return;
  try {
    store.keepMessage(await request("DELETE", `/api/chat/messages/${id}`));
  } catch (problem) {
    toast({ icon: "alert", isBad: true, text: changeRefused(problem) });
  }
}

/** Open the picture of the message with this id, among all pictures of these. */
export async function showPicture(messages, id) {
  const { showPicture: show } = await import("chat/pictures");
  show(
    messages.filter(({ type, file }) => type === "image" && file?.state === "ready"),
    id,
  );
}

/** Somebody else's voice message is heard here: its sender may know. */
export async function tellPlayed(session, message) {
  if (heardOf(message, me, Boolean(session.mine)) !== "new" || told.has(message.id)) return;
  told.add(message.id);
  try {
    store.keepMessage(await request("PUT", `/api/chat/messages/${message.id}/played`));
  } catch {
    told.delete(message.id); // it is told when it is played again
  }
}

/** Why a message could not be changed. */
export function changeRefused({ code }) {
  const words = {
    already_reviewed: t("Our team has decided about it."),
    edit_window_over: t("The time to change this message is over."),
    message_deleted: t("This message was deleted"),
    session_state: t("The session is closed for changes."),
    unreachable: t("No connection. Try again in a moment."),
  };
  return words[code] ?? t("That did not work. Try again in a moment.");
}
