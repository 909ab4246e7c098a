// What staff are told of the product itself, on whatever page they are.

import { t } from "samia/text";
import { toast } from "samia/toasts";

const QUIET_MS = 600_000; // so long the same is not said again

export function tellStaff(socket) {
  let toldAt = -QUIET_MS;
  socket.addEventListener("file_waiting", () => {
    if (performance.now() - toldAt < QUIET_MS) return;
    toldAt = performance.now();
    toast({ icon: "alert", isBad: true, text: t("The virus scanner does not answer. Files wait until it does.") });
  });
}
