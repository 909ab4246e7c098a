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
  if (response.status === 401) document.dispatchEvent(new CustomEvent("samia:signed-out"));
  const isJSON = (response.headers.get("Content-Type") || "").includes("json");
  const answer = isJSON ? await response.json() : null;
  if (response.ok) return answer;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  throw new Problem({
    status: response.status,
    code: answer?.code || "unknown",
    detail: answer?.detail || response.statusText,
    retryAfter,
  });
}

function csrfToken() {
  return document.cookie.match(/(?:^|; )samia_csrf=([^;]+)/)?.[1] || "";
}
