// @ts-check
/**
 * What is to be done for a voucher, and sums of money in the words of the page.
 *
 * @module counter/worth
 */

import { fill } from "./words.js";

/**
 * @param {number} minor - minor units
 * @param {string} currency - ISO 4217
 * @param {string} [lang] - BCP 47
 * @returns {string} "€3.50"
 */
export function sum(minor, currency, lang) {
  const format = new Intl.NumberFormat(lang, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor / 10 ** digits);
}

/**
 * @param {{ kind?: string, worth?: number | null, rest?: number | null, currency?: string | null }} voucher
 * @param {number | undefined} amount - of money: what was used
 * @param {any} t - texts.given
 * @param {string} [lang]
 * @returns {string[]} what the barista does, and what is left
 */
export function whatToDo({ kind = "item", worth, rest, currency }, amount, t, lang) {
  if (kind === "percent" && worth) {
    const style = { style: /** @type {const} */ ("percent") };
    const percent = new Intl.NumberFormat(lang, style).format(worth / 100);
    return [fill(t.todo.percent, { percent })];
  }
  if (kind === "money" && amount && currency) {
    const left = rest
      ? fill(t.todo.rest, { left: sum(rest, currency, lang) })
      : t.todo.all_used;
    return [fill(t.todo.money, { sum: sum(amount, currency, lang) }), left];
  }
  return [t.todo[kind] ?? t.hand_over];
}
