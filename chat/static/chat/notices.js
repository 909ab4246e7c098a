// The browser's own notices.

/** Ask the browser for leave to show notices. Whether it was given; only after a click of the reader. */
export async function allowNotices() {
  if (!("Notification" in globalThis)) return false;
  return (await Notification.requestPermission()) === "granted";
}
