// @ts-check
/**
 * A refusal, in the words of the counter: what it is, why, and what to do next.
 *
 * @module counter/refusal
 *
 * @typedef {import("./outcome.js").Screen} Screen
 */

import { whatOf } from "./queue-drawer.js";
import { clock, fill } from "./words.js";

/** Longer than a stamp given: there is something to read. */
const STAY_MS = 5000;

/**
 * @param {import("./spend.js").Answer} answer - a problem (RFC 9457), or none at all
 * @param {import("./outcome.js").Speech} speech
 * @returns {Screen}
 */
export function refusalOf({ body, status }, { texts, lang, now = new Date() }) {
  const t = texts.refused;
  const { code = "", title, detail, spent_at, place } = body ?? {};
  if (!title) return refused(t.other, [`${t.other_next} (${status})`]);
  if (spent_at && place) {
    const time = clock(new Date(spent_at), now, lang);
    return refused(title, [fill(t.spent_at, { time, place }), t.spent_next]);
  }
  return refused(title, [detail, t.next[code] ?? t.other_next].filter(Boolean));
}

/**
 * The same customer shows a fresh code in a moment.
 *
 * @param {import("./spend.js").Answer} answer
 */
export const isDead = ({ body }) => DEAD.includes(body?.code);

/** Codes that ended while their scan waited: each had its time, and it is over. */
const DEAD = ["code_expired", "code_unknown", "code_revoked"];

/**
 * A scan that waited and was refused: what it was, and that nothing came of it.
 *
 * @param {import("./queue.js").Scan} scan
 * @param {import("./spend.js").Answer} answer
 * @param {import("./outcome.js").Speech} speech
 * @returns {Screen}
 */
export function lateRefusalOf(scan, answer, speech) {
  const { texts, lang, now = new Date() } = speech;
  const time = clock(new Date(scan.at), now, lang);
  const scanned = fill(texts.queue.scanned, { what: whatOf(scan, texts), time });
  const died = isDead(answer);
  const { title, lines } = refusalOf(answer, speech);
  // Without an end of its own: whoever is at the till must not miss it.
  return plain("refused", died ? texts.queue.died : title, [
    scanned,
    ...(died ? [texts.queue.died_next] : lines),
  ]);
}

/**
 * A code of ours that this till does not take; the text alone tells.
 *
 * @param {{ title: string, text: string }} words
 * @returns {Screen}
 */
export const notForTills = ({ title, text }) => refused(title, [text]);

/**
 * @param {Screen["mood"]} mood
 * @param {string} title
 * @param {string[]} lines
 * @returns {Screen}
 */
export function plain(mood, title, lines) {
  return { mood, icon: mood, title, lines, dots: null, earned: "", undo: null, stay: 0 };
}

/** @param {string} title @param {string[]} lines @returns {Screen} */
const refused = (title, lines) => ({
  ...plain("refused", title, lines),
  stay: STAY_MS,
});
