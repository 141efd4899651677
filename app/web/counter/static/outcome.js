// @ts-check
/**
 * From the server's answer to what the screen says.
 *
 * Only an answer of the server is ever green. What a barista would say aloud is the
 * title; a refusal says why and what to do next.
 *
 * @module counter/outcome
 *
 * @typedef {object} Screen
 * @property {"given" | "refused" | "waiting" | "undone" | "practice"} mood - colour and sound
 * @property {"given" | "voucher" | "refused" | "waiting" | "undone"} icon
 * @property {string} title
 * @property {string[]} lines
 * @property {{ full: number, of: number } | null} dots
 * @property {string} earned - "" or what a full card brought
 * @property {Undoable | null} undo
 * @property {number} stay - ms; 0: until something happens
 * @property {boolean} [later] - may go on behind the next customer
 *
 * @typedef {{ door: "stamps" | "redemptions", id: string, what: string, count: number }} Undoable
 *   `what`: as the list of the last five says it; `count`: stamps, 0 for a voucher
 *
 * @typedef {import("./spend.js").Answer} Answer
 * @typedef {{ texts: any, lang?: string, now?: Date }} Speech
 */

import { bought } from "./money.js";
import { plain, refusalOf } from "./refusal.js";
import { fill } from "./words.js";
import { whatToDo } from "./worth.js";

const STAY_MS = 3000;
const MOST_DOTS = 20;

/**
 * @param {"stamps" | "redemptions"} door
 * @param {Answer} answer - as it stands, no longer worth retrying
 * @param {Speech} speech
 * @returns {Screen}
 */
export function outcomeOf(door, answer, speech) {
  if (answer.status !== 200 && answer.status !== 201) return refusalOf(answer, speech);
  return door === "stamps"
    ? stamped(answer.body, speech)
    : redeemed(answer.body, speech.texts.given, speech.lang);
}

/**
 * @param {any} body - of POST /stamps
 * @param {Speech} speech
 * @returns {Screen}
 */
function stamped(
  { stamp_id, stamps_given, member_name, card, purchase, earned = [] },
  { texts, lang },
) {
  const t = texts.given;
  const nth = stamps_given - 1;
  const name = member_name ?? "";
  const title = name ? fill(t.stamps_for[nth], { name }) : t.stamps[nth];
  const { stamps, stamps_required: required, reward } = card;
  // Fewer on the card than were just given: it went round, and a voucher came of it.
  const isFull = stamps < stamps_given;
  const next = isFull && stamps > 0 ? [fill(t.next_card, { stamps, required })] : [];
  return {
    mood: "given",
    icon: isFull ? "voucher" : "given",
    title,
    lines: [
      ...(isFull ? next : [progress(stamps, required, t)]),
      ...earned,
      ...(purchase ? [bought(purchase, texts.sale, lang)] : []),
    ],
    dots: dots(isFull ? required : stamps, required),
    earned: isFull ? fill(t.full, { reward }) : "",
    undo: { door: "stamps", id: stamp_id, what: title, count: stamps_given },
    stay: STAY_MS,
  };
}

/**
 * @param {any} body - of POST /redemptions
 * @param {any} t
 * @param {string} [lang]
 * @returns {Screen}
 */
function redeemed({ redemption_id, member_name, voucher, amount }, t, lang) {
  const { reward } = voucher;
  const title = member_name ? fill(t.voucher_for, { reward, name: member_name }) : reward;
  return {
    ...plain("given", title, whatToDo(voucher, amount, t, lang)),
    icon: "voucher",
    undo: { door: "redemptions", id: redemption_id, what: title, count: 0 },
    stay: STAY_MS,
  };
}

/**
 * A stamp code that this till showed was collected: to whom, at once.
 *
 * @param {number} count - stamps
 * @param {import("./show.js").Collected} state
 * @param {any} texts
 * @returns {Screen}
 */
export function collectedOf(count, { member_name, card_number, stamp_id }, texts) {
  const t = texts.stamp_code;
  const stamps = texts.latest.stamp[count - 1];
  const number = (card_number ?? "").replace(/(.{4})(?=.)/g, "$1\u00a0");
  const title = member_name
    ? fill(t.collected, { name: member_name })
    : t.collected_anonymous;
  const what = member_name
    ? texts.given.stamps_for[count - 1].replace("{name}", member_name)
    : stamps;
  return {
    ...plain("given", title, [fill(t.card, { what: stamps, number })]),
    undo: stamp_id ? { door: "stamps", id: stamp_id, what, count } : null,
  };
}

/**
 * @param {Undoable} undone
 * @param {any} t
 * @param {any} [body] - of the reversal
 * @returns {Screen}
 */
export const undoneOf = ({ door, what }, t, body) => ({
  ...plain("undone", t.undone, [
    what,
    door === "stamps" ? t.undone_stamp : t.undone_redemption,
    // It came back with the end that it had.
    ...(body?.voucher?.state === "expired" ? [t.undone_expired] : []),
  ]),
  stay: STAY_MS,
});

/** @param {number} full @param {number} of */
const dots = (full, of) => (of <= MOST_DOTS ? { full, of } : null);

/** @param {number} stamps @param {number} required @param {any} t */
function progress(stamps, required, t) {
  const to_go = t.to_go[required - stamps - 1];
  if (!to_go) return fill(t.progress, { stamps, required });
  return t.progress_to_go
    .replace("{to_go}", to_go)
    .replace("{stamps}", stamps)
    .replace("{required}", required);
}
