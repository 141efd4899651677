// @ts-check
/**
 * What the screen says when something of a purchase has come back.
 *
 * @module counter/came-back
 *
 * @typedef {import("./outcome.js").Screen} Screen
 */

import { money } from "./money.js";
import { plain, refusalOf } from "./refusal.js";
import { fill } from "./words.js";

/**
 * @param {import("./spend.js").Answer} answer - of POST /purchases/{id}/refund
 * @param {import("./outcome.js").Speech} speech
 * @returns {Screen}
 */
export function refundOf(answer, speech) {
  if (answer.status !== 200 && answer.status !== 201) return refusalOf(answer, speech);
  const { amount, currency, member_name: name, card, owes } = answer.body;
  const t = speech.texts.refund;
  const sum = money(amount, currency, speech.lang);
  return plain("undone", fill(t.pay_back, { sum }), [
    ...(name ? [`\u2068${name}\u2069`] : []),
    ...owed(card, owes, t),
  ]);
}

/**
 * What was given is off the card, also when it was spent meanwhile.
 *
 * @param {{ stamps: number, balances?: Record<string, number> }} card - below nought it is
 *   short of some
 * @param {string | undefined} owes - in the server's words, of all units
 * @param {any} t
 * @returns {string[]}
 */
function owed({ stamps, balances = {} }, owes, t) {
  const isShort = Object.values(balances).some((left) => left < 0);
  if (isShort && owes) return [fill(t.owes_all, { what: owes })];
  if (stamps >= 0) return [t.off];
  return [t.owes[Math.min(-stamps, t.owes.length) - 1]];
}
