// @ts-check
/**
 * Ask our own server for something, in JSON.
 *
 * A phone at a counter loses its signal. With `retry`, what nobody answered is asked
 * again with growing waits, and the body goes out unchanged each time: a `request_id`
 * in it stays the same, so the server counts once however often it hears it. A refusal
 * is an answer and is not asked again, but for one: after a try that nobody answered,
 * "unknown" and "expired" may have overtaken that try, which then counts after all. Such
 * an answer stands once the first try can't be at work any more. Nothing is thrown: no
 * answer is status 0.
 *
 * @module shared/api
 */

import { once } from "./request.js";

/** Waits between tries, ms; the last one repeats. */
const WAITS = [400, 800, 1600, 3000, 5000, 8000];
/** For so long a try that nobody answered may still be at work: the nonce store's lease. */
const LEASE_MS = 15_000;
/** What the server says of a code that it has no claim of: the claim may be lost. */
const OVERTAKEN = ["code_unknown", "code_expired"];

/**
 * @typedef {import("./request.js").Answer} Answer
 * @typedef {import("./request.js").World} World
 * @typedef {"network" | "busy" | "in_use"} Reason
 *
 * @typedef {object} Options
 * @property {boolean | number} [retry] - true: until answered or aborted; n: n more tries
 * @property {AbortSignal} [signal] - ends waiting and asking
 * @property {(reason: Reason, waitMs: number) => void} [onWait] - before each wait
 * @property {Record<string, string>} [headers]
 * @property {World} [world]
 */

/**
 * @param {string} method - "GET", "POST", …
 * @param {string} path - on this server, for example "/api/v1/stamps"
 * @param {object | null} [body] - sent as JSON; null sends none
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, body = null, options = {}) {
  const { retry = false, signal, onWait, world = {} } = options;
  const tries = retry === true ? Infinity : Number(retry) + 1;
  const wait = world.wait ?? pause;
  const now = world.now ?? (() => performance.now());
  let unsure = false;
  let unansweredAt = -Infinity;
  for (let attempt = 1; ; attempt += 1) {
    let answer = await once(method, path, body, options);
    if (answer.body?.code === "page_too_old" && (await renewed(options))) {
      answer = await once(method, path, body, options);
    }
    if (answer.status === 0) [unsure, unansweredAt] = [true, now()];
    const mayYetCount = now() - unansweredAt < LEASE_MS && OVERTAKEN.includes(answer.body?.code);
    const reason = mayYetCount ? "in_use" : waitReason(answer);
    if (!reason || attempt >= tries || signal?.aborted) return { ...answer, unsure };
    const own = WAITS[Math.min(attempt, WAITS.length) - 1];
    const ms = Math.max(own, answer.retryAfter * 1000);
    onWait?.(reason, ms);
    await wait(ms, signal);
    if (signal?.aborted) return { ...answer, unsure };
  }
}

/**
 * Why this answer is worth asking again for; null for an answer that stands.
 *
 * @param {Answer} answer
 * @returns {Reason | null}
 */
export function waitReason(answer) {
  if (answer.status === 0) return "network";
  if ([502, 503, 504].includes(answer.status)) return "busy";
  if (answer.status === 409 && answer.body?.code === "code_in_use") return "in_use";
  return null;
}

/** @param {string} token */
const setCsrfOfPage = (token) =>
  document.querySelector('meta[name="csrf-token"]')?.setAttribute("content", token);

/**
 * Get the page a new token: a till stays open for weeks, and in an emergency the
 * operator makes every old token worthless.
 *
 * @param {Options} options
 * @returns {Promise<boolean>} whether it is worth asking again
 */
async function renewed({ signal, world = {} }) {
  const { body } = await once("GET", "/page-token", null, { signal, world });
  if (!body?.token) return false;
  (world.setCsrf ?? setCsrfOfPage)(body.token);
  return true;
}

/**
 * @param {number} ms - less when the network comes back or the caller gives up
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      globalThis.removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener("online", done);
    signal?.addEventListener("abort", done);
  });
}
