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

import { gainedBy, standsAt } from "./gained.js";
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
function stamped(body, { texts, lang }) {
  const { stamp_id, stamps_given: given, member_name, card, purchase, earned = [] } = body;
  const t = texts.given;
  const title = gainedBy(body, member_name ?? "", t);
  const { stamps, stamps_required: required, reward } = card;
  // Answers of before did not say; then fewer than were just given tell it.
  const isFull = body.filled === undefined ? stamps < given : body.filled > 0;
  return {
    mood: "given",
    icon: isFull ? "voucher" : "given",
    title,
    lines: [
      ...standsAt(card, { ...body, isFull, given }, t),
      ...earned,
      ...(purchase ? [bought(purchase, texts.sale, lang)] : []),
    ],
    dots: stamps < 0 || (!isFull && !given && !stamps) ? null : dots(isFull ? required : stamps, required),
    earned: isFull ? fill(t.full, { reward }) : "",
    undo: { door: "stamps", id: stamp_id, what: title, count: given },
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
 * A stamp code that this till showed was collected: to whom and what it gave, at once.
 *
 * @param {number} count - stamps that were chosen
 * @param {import("./show.js").Collected} state
 * @param {any} texts
 * @returns {Screen}
 */
export function collectedOf(count, { member_name, card_number, stamp_id, ...told }, texts) {
  const t = texts.stamp_code;
  const given = { ...told, stamps_given: told.stamps_given ?? count };
  const number = (card_number ?? "").replace(/(.{4})(?=.)/g, "$1\u00a0");
  const title = member_name ? fill(t.collected, { name: member_name }) : t.collected_anonymous;
  const what = gainedBy(given, member_name ?? "", texts.given);
  const counted = told.earned?.length ? "" : texts.latest.stamp[given.stamps_given - 1];
  const card = fill(t.card, { what: counted || told.gained || texts.given.nothing, number });
  return {
    ...plain("given", title, [card, ...(told.earned ?? [])]),
    undo: stamp_id ? { door: "stamps", id: stamp_id, what, count: given.stamps_given } : null,
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
