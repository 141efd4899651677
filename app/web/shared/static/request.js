// @ts-check
/**
 * One try at asking our own server, in JSON. Nothing is thrown: no answer is status 0.
 *
 * @module shared/request
 */

const TIMEOUT_MS = 10_000;

/**
 * @typedef {object} Answer
 * @property {number} status - HTTP status; 0 when nobody answered or the caller gave up
 * @property {any} body - parsed JSON; null when there was none
 * @property {string} etag - "" when there was none
 * @property {number} retryAfter - seconds; 0 when the server named none
 * @property {boolean} unsure - a try went unanswered: the server may have acted on it
 *
 * @typedef {object} World
 * @property {typeof globalThis.fetch} [fetch]
 * @property {(ms: number, signal?: AbortSignal) => Promise<void>} [wait]
 * @property {() => string} [csrf]
 * @property {(token: string) => void} [setCsrf]
 * @property {number} [timeout] - ms for one try
 * @property {() => number} [now] - ms, any clock that does not jump
 */

/** Read each time: a sign-in renews it. */
const csrfOfPage = () =>
  document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";

/** The answer shall speak as the page does, whatever the browser's own language. */
const langOfPage = () => {
  const lang = globalThis.document?.documentElement?.lang;
  return lang ? { "Accept-Language": lang } : {};
};

/**
 * @param {string} method - "GET", "POST", …
 * @param {string} path - on this server
 * @param {object | null} body - sent as JSON; null sends none
 * @param {{ signal?: AbortSignal, headers?: Record<string, string>, world?: World }} options
 * @returns {Promise<Answer>}
 */
export async function once(method, path, body, { signal, headers = {}, world = {} }) {
  const { fetch = globalThis.fetch, csrf = csrfOfPage, timeout = TIMEOUT_MS } = world;
  const all = { Accept: "application/json", ...langOfPage(), ...headers };
  if (method !== "GET") Object.assign(all, { "X-CSRFToken": csrf() });
  if (body !== null) Object.assign(all, { "Content-Type": "application/json" });
  const stop = new AbortController();
  const giveUp = () => stop.abort();
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp);
  const timer = setTimeout(giveUp, timeout);
  try {
    const response = await fetch(path, {
      method,
      headers: all,
      body: body === null ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: stop.signal,
    });
    const text = response.status === 304 ? "" : await response.text();
    return {
      status: response.status,
      body: parsed(text),
      etag: response.headers.get("ETag") ?? "",
      retryAfter: Number(response.headers.get("Retry-After")) || 0,
      unsure: false,
    };
  } catch {
    return { status: 0, body: null, etag: "", retryAfter: 0, unsure: true };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

/** @param {string} text - a proxy's HTML page gives null: its status says enough */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
