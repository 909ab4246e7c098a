// What `./samia bench page` reads inside the page. Nothing sleeps: times are those of events, frames and entries.

window.probes = { ready: null, busyUntil: 0, frames: [] };

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) probes.busyUntil = Math.max(probes.busyUntil, startTime + duration);
}).observe({ type: "longtask", buffered: true });

/** When a frame is over in which something was drawn. */
probes.painted = () =>
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));

/** When the modules have drawn the thread and the composer, and the page can be used. */
new MutationObserver(async (changes, observer) => {
  if (!document.querySelector("samia-thread samia-message .bubble") || !document.querySelector("samia-composer textarea")) return;
  observer.disconnect();
  probes.ready = await probes.painted();
}).observe(document, { childList: true, subtree: true });

/** When the page can be used: it is drawn, and for so long nothing has kept it busy. */
probes.interactive = async (quiet) => {
  while (probes.ready === null || performance.now() < Math.max(probes.ready, probes.busyUntil) + quiet) {
    await new Promise(requestAnimationFrame);
  }
  return Math.max(probes.ready, probes.busyUntil);
};

// When each frame of the socket came.
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ timeStamp, data }) => {
      if (data.includes('"new_message"')) probes.frames.push({ timeStamp, data });
    });
  }
};

/** Milliseconds from an event to the paint in which this text stands in the thread. */
probes.fromEvent = (type, text) => {
  const began = new Promise((done) =>
    addEventListener(type, ({ timeStamp }) => done(timeStamp), { capture: true, once: true }),
  );
  probes.result = Promise.all([began, probes.drawn(text)]).then(([from, until]) => until - from);
};

/** The same from the frame of the socket that brought it. */
probes.fromFrame = (text) => {
  probes.result = probes.drawn(text).then(
    (until) => until - probes.frames.find(({ data }) => data.includes(text)).timeStamp,
  );
};

probes.drawn = (text) =>
  new Promise((done) => {
    const isThere = () => [...document.querySelectorAll("samia-message .body")].some((one) => one.textContent.includes(text));
    const observer = new MutationObserver(() => {
      if (!isThere()) return;
      observer.disconnect();
      done(probes.painted());
    });
    observer.observe(document.querySelector("samia-thread"), { childList: true, subtree: true, characterData: true });
  });

/** Scroll up to the first message of all, a step in each frame. */
probes.toTheFirst = async (step) => {
  const thread = document.querySelector(".thread");
  const frame = () => new Promise(requestAnimationFrame);
  const found = { nodes: 0, frames: 0 };
  while (!document.querySelector("samia-message[data-seq='1']") || thread.scrollTop > 0) {
    thread.scrollTop -= step;
    await frame();
    found.frames += 1;
    found.nodes = Math.max(found.nodes, document.querySelectorAll("samia-message").length);
  }
  return found;
};
