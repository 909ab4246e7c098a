// Signing out by a form of the page.

import { confirmSignOut } from "chat/confirm";
import { unsent, wipe } from "chat/device";

/**
 * Sign out by the form that is submitted. Whoever would lose what he has not sent is asked; then `last()` ends what goes on in
 * the page, and what waits on this device is forgotten. `here`: files of this tab that wait, kept or not.
 */
export async function signOut(event, { last = () => {}, here = 0 } = {}) {
  event.preventDefault();
  const count = await unsent(here);
  if (count && !(await confirmSignOut(count))) return;
  last();
  await wipe();
  event.target.submit();
}
