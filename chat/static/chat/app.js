// The page as an app on the device: its worker, and the word that there is a new version.

import { t } from "samia/text";
import { toast } from "samia/toasts";

/** Register the worker. A new version waits until the person takes it: his drafts are kept, and the page is loaded anew. */
export async function install() {
  if (!("serviceWorker" in navigator)) return;
  const hadOne = Boolean(navigator.serviceWorker.controller);
  let isReloading = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!hadOne || isReloading) return; // the first one takes over a page that is as new as it is
    isReloading = true;
    location.reload();
  });
  try {
    const registration = await navigator.serviceWorker.register("/worker.js");
    registration.active?.postMessage({ language: document.documentElement.lang });
    if (registration.waiting) offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const coming = registration.installing;
      coming.addEventListener("statechange", () => {
        if (coming.state === "installed" && navigator.serviceWorker.controller) offer(coming);
      });
    });
  } catch {
    // Private windows of some browsers have none. Everything works without it but being offline.
  }
}

function offer(worker) {
  toast({
    icon: "info",
    text: t("There is a new version."),
    stays: true,
    action: { text: t("Reload"), act: () => worker.postMessage("take-over") },
  });
}
