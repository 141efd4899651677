// @ts-check
/**
 * What a visit gave and how the card stands, as a barista would say it aloud.
 *
 * The barista's own count is said in sentences of this page; what rules gave comes in
 * the server's words. Neither is made up here: a rule may give nothing.
 *
 * @module counter/gained
 *
 * @typedef {{ stamps_given: number, earned?: string[], gained?: string }} Given
 */

import { fill } from "./words.js";

/**
 * @param {Given} given
 * @param {string} name - "" where there is none
 * @param {any} t - texts.given
 * @returns {string} "2 stamps for Anna", "35 points for Anna"
 */
export function gainedBy({ stamps_given: stamps, earned = [], gained }, name, t) {
  const counted = earned.length ? undefined : t.stamps[stamps - 1];
  if (counted) return name ? fill(t.stamps_for[stamps - 1], { name }) : counted;
  if (!gained) return name ? fill(t.nothing_for, { name }) : t.nothing;
  return name ? fill(t.gained_for, { what: gained, name }) : fill(t.gained, { what: gained });
}

/**
 * @param {{ stamps: number, stamps_required: number }} card
 * @param {{ isFull: boolean, given: number, holds?: string, owes?: string }} told
 * @param {any} t - texts.given
 * @returns {string[]} "9 of 10 — one more to go", "35 points on the card"
 */
export function standsAt({ stamps, stamps_required: required }, { isFull, given, holds, owes }, t) {
  const other = holds ? [fill(t.holds, { what: holds })] : [];
  if (owes) return [fill(t.owes, { what: owes }), ...other];
  if (isFull) return stamps > 0 ? [fill(t.next_card, { stamps, required }), ...other] : other;
  // Of a card that lives by points nobody counts the stamps.
  return holds && !given && !stamps ? other : [progress(stamps, required, t), ...other];
}

/** @param {number} stamps @param {number} required @param {any} t */
function progress(stamps, required, t) {
  const to_go = t.to_go[required - stamps - 1];
  if (!to_go) return fill(t.progress, { stamps, required });
  return t.progress_to_go
    .replace("{to_go}", to_go)
    .replace("{stamps}", stamps)
    .replace("{required}", required);
}
