// Pictures that somebody sent one after the other stand side by side. Each stays a line and a message of its own, with its menu
// and its ticks; it only gets a place in a row. chat/painted_grid.py gives the same ones; both are held against
// tests/browser/grids.json.

const SOON_MS = 60_000;
const MOST = 10;

/** The lines of a thread; those that stand in a grid with their `cell`: {columns, column, after: how many follow in the row}. */
export function gridded(lines) {
  const found = [...lines];
  let run = []; // places of pictures that belong together
  const end = () => {
    if (run.length > 1) run.forEach((at, place) => (found[at] = { ...lines[at], cell: cellOf(place, run.length) }));
    run = [];
  };
  lines.forEach((line, at) => {
    const isNext = run.length && run.length < MOST && areTogether(lines[run.at(-1)], line);
    if (!isNext) end();
    if (isBarePicture(line)) run.push(at);
  });
  end();
  return found;
}

/** A picture that says nothing else. */
function isBarePicture({ message }) {
  return (
    message?.type === "image" &&
    message.file?.state === "ready" &&
    message.seq !== null &&
    !message.content &&
    !message.reply_to
  );
}

function areTogether({ message: one }, line) {
  const { message: other } = line;
  return (
    isBarePicture(line) &&
    one.sender === other.sender &&
    Math.abs(Date.parse(other.created_at) - Date.parse(one.created_at)) <= SOON_MS
  );
}

function cellOf(place, length) {
  const columns = length === 2 || length === 4 ? 2 : 3;
  const column = place % columns;
  const inRow = Math.min(columns, length - (place - column));
  return { columns, column, after: inRow - column - 1 };
}
