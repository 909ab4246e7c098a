// What of a page fits on the screen.

/** Whether it shows one pane at a time (chat.css says from which width on). */
export function isPhone() {
  return matchMedia("(max-width: 720px)").matches;
}
