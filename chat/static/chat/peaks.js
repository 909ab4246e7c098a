// The loudness of a recording over time, as bars. chat/painted_files.py draws the same; both are held against
// tests/browser/waves.json.

const STEP = 4; // from bar to bar
const WIDTH = 2.5; // of a bar, with round ends
const LEAST = 3; // the height of silence
const CALM = 64; // a recording whose loudest sound is not even so loud (of 255) is drawn as quiet as it is

export const BUBBLE = { bars: 48, height: 30 };
export const LARGE = { bars: 100, height: 64 };
export const SMALL = { bars: 33, height: 18 };
export const PREVIEW = { bars: 56, height: 28 };

export function waveWidth({ bars }) {
  return STEP * bars - (STEP - WIDTH);
}

/** The path of a wave: one line for each bar, the loudest of what falls on it. Peaks that are not known are silence. */
export function wavePath(peaks, { bars, height }) {
  const known = peaks?.length ? peaks : [0];
  const scale = Math.max(CALM, ...known);
  return path(
    Array.from({ length: bars }, (_, at) => {
      const from = Math.floor((at * known.length) / bars);
      const to = Math.max(from + 1, Math.floor(((at + 1) * known.length) / bars));
      return Math.max(...known.slice(from, to)) / scale;
    }),
    height,
  );
}

/** The path of what is being recorded: the newest bars, at the end, each as loud as it is. */
export function livePath(peaks, { bars, height }) {
  const shown = peaks.slice(-bars);
  return path(
    shown.map((peak) => Math.min(1, peak / 255)),
    height,
    bars - shown.length,
  );
}

function path(shares, height, first = 0) {
  return shares
    .map((share, at) => {
      const tall = Math.max(LEAST, share * height);
      return `M${round((first + at) * STEP + WIDTH / 2)} ${round((height - tall + WIDTH) / 2)}v${round(tall - WIDTH)}`;
    })
    .join("");
}

function round(value) {
  return Math.floor(value * 10 + 0.5) / 10;
}
