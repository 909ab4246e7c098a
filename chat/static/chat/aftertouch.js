// The click that a browser makes of a touch when the finger has lifted. It goes to what lies there by then, which is another
// button than the one that was touched if the touch itself has changed the page.

const AFTERTOUCH_MS = 700;

/** The finger that lifts now clicks on nothing. The next one does. */
export function swallowClick() {
  const over = new AbortController();
  const options = { capture: true, signal: over.signal };
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
    over.abort();
  };
  document.addEventListener("click", swallow, options);
  document.addEventListener("pointerdown", () => over.abort(), options);
  setTimeout(() => over.abort(), AFTERTOUCH_MS);
}
