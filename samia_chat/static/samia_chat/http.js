// Requests to our own API, as the person whose cookie the browser sends.

export class Problem extends Error {
  /** A refusal: HTTP status (0: no answer came), stable code, and the seconds to wait where the server named them. */
  constructor({ status, code, detail, retryAfter = null }) {
    super(detail);
    Object.assign(this, { status, code, retryAfter });
  }
}

/** The answer's JSON, or null where it has none. Raises Problem. */
export async function request(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem({ status: 0, code: "unreachable", detail: "No answer came." });
  }
  const isJSON = (response.headers.get("Content-Type") || "").includes("json");
  const answer = isJSON ? await response.json() : null;
  if (response.ok) return answer;
  throw refusal(response.status, answer, response.headers.get("Retry-After"), response.statusText);
}

/**
 * Send a form with a file (POST, or `method`); the answer's JSON. `onProgress(share)` is told how much of it has left, from 0 to 1. Raises
 * Problem, with the code "aborted" where `signal` has ended it.
 */
export function upload(path, form, { method = "POST", onProgress = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest(); // fetch tells nothing of what has left
    const fail = (code) => reject(new Problem({ status: 0, code, detail: "No answer came." }));
    sending.open(method, path);
    sending.responseType = "json";
    sending.setRequestHeader("Accept", "application/json");
    sending.setRequestHeader("X-CSRFToken", csrfToken());
    sending.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    sending.onerror = sending.ontimeout = () => fail("unreachable");
    sending.onabort = () => fail("aborted");
    sending.onload = () => {
      const { status, response, statusText } = sending;
      if (status >= 200 && status < 300) resolve(response);
      else reject(refusal(status, response, sending.getResponseHeader("Retry-After"), statusText));
    };
    signal?.addEventListener("abort", () => sending.abort(), { once: true });
    if (signal?.aborted) fail("aborted");
    else sending.send(form);
  });
}

function refusal(status, answer, retryAfter, statusText) {
  if (status === 401) document.dispatchEvent(new CustomEvent("samia:signed-out"));
  return new Problem({
    status,
    code: answer?.code || "unknown",
    detail: answer?.detail || statusText,
    retryAfter: Number(retryAfter) || null,
  });
}

function csrfToken() {
  return document.cookie.match(/(?:^|; )samia_csrf=([^;]+)/)?.[1] || "";
}
