// On the page that says one is offline: the page that was wanted, as soon as it can be had.

const RETRY_EVERY = 3000; // ms

// Also by asking: browsers are late with `online` or leave it out, and know nothing of a server that was away.
async function comeBackIfServed() {
  // The worker answers GET only, so this one goes to the server.
  const answer = await fetch("/offline", { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}

setInterval(comeBackIfServed, RETRY_EVERY);
window.addEventListener("online", comeBackIfServed);
document.querySelector("[data-again]").addEventListener("click", (event) => {
  event.preventDefault();
  location.reload();
});
