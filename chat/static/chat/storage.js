// The page of storage. The server has painted it, and nothing changes it here; signing out forgets what waits on this device, as
// from everywhere.

import "samia/theme";
import { wipe } from "chat/device";

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-sign-out]")) return;
  event.preventDefault();
  await wipe();
  event.target.submit();
});
