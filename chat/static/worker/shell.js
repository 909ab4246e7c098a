// Keeps the shell (modules, styles, fonts) and the page that says one is offline. Served at /worker.js, which puts VERSION
// and SHELL before this. Nothing of the API and no file of anybody is ever kept here.

const KEPT = `samia-shell-${VERSION}`;
const OFFLINE = "/offline";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(KEPT).then((kept) => kept.addAll([...SHELL.map((url) => new Request(url, { cache: "reload" })), OFFLINE])),
  );
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith("samia-shell-") && name !== KEPT).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

self.addEventListener("message", (event) => {
  // The page asks for it once the person has said that he wants the new version.
  if (event.data === "take-over") self.skipWaiting();
  if (event.data.language) event.waitUntil(speak(event.data.language));
});

/** Say in this language that one is offline: the person may have changed it since. */
async function speak(language) {
  const kept = await caches.open(KEPT);
  const page = await kept.match(OFFLINE);
  if (page?.headers.get("Content-Language") !== language) await kept.add(OFFLINE);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (SHELL.includes(url.pathname)) {
    event.respondWith(caches.open(KEPT).then(async (kept) => (await kept.match(request)) ?? fetch(request)));
  }
});
