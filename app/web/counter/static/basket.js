// @ts-check
/**
 * What is being bought, before the scan: how many of which item, and the sum if it was
 * typed. A plain value; nothing here is sent or drawn.
 *
 * @module counter/basket
 *
 * @typedef {{ item_id: string, name: string, price: number, category: string, is_favourite: boolean }} Item
 *   `price` in minor units
 * @typedef {{ code: string, digits: number }} Currency
 * @typedef {{ counts: Readonly<Record<string, number>>, typed: string }} Basket
 *   `counts` by item id; `typed`: digits of the sum in minor units, "" when none was typed
 * @typedef {{ items?: { item_id: string, quantity: number }[], amount?: number }} Order
 */

/** Of one item, and different ones; the server holds the same. */
const MOST_OF_ONE = 99;
const MOST_KINDS = 40;
/** Digits of a sum: up to 99,999.99. */
const MOST_DIGITS = 7;

/** @type {Basket} */
export const EMPTY = { counts: {}, typed: "" };

/** @param {Basket} basket @param {string} id @returns {Basket} */
export function withOne(basket, id) {
  const now = basket.counts[id] ?? 0;
  const isFull = !now && Object.keys(basket.counts).length >= MOST_KINDS;
  if (isFull || now >= MOST_OF_ONE) return basket;
  return { ...basket, counts: { ...basket.counts, [id]: now + 1 } };
}

/** @param {Basket} basket @param {string} id @returns {Basket} */
export function withoutOne(basket, id) {
  const { [id]: now = 0, ...others } = basket.counts;
  return { ...basket, counts: now > 1 ? { ...basket.counts, [id]: now - 1 } : others };
}

/** @param {Basket} basket @param {string} digits - "5" or "00" @returns {Basket} */
export function withDigits(basket, digits) {
  const typed = `${basket.typed}${digits}`.replace(/^0+/, "");
  return typed.length > MOST_DIGITS ? basket : { ...basket, typed };
}

/** @param {Basket} basket @returns {Basket} */
export const erased = (basket) => ({ ...basket, typed: basket.typed.slice(0, -1) });

/** @param {Basket} basket */
export const isEmpty = ({ counts, typed }) => !typed && Object.keys(counts).length === 0;

/**
 * @param {Basket} basket
 * @param {Item[]} menu
 * @returns {number} in minor units: what was typed, or what the items come to
 */
export function totalOf({ counts, typed }, menu) {
  if (typed) return Number(typed);
  return menu.reduce((sum, { item_id: id, price }) => sum + price * (counts[id] ?? 0), 0);
}

/**
 * @param {Basket} basket
 * @returns {Order} as the server takes it: no prices; nothing when nothing was tapped
 */
export function orderOf({ counts, typed }) {
  const items = Object.entries(counts).map(([item_id, quantity]) => ({ item_id, quantity }));
  return {
    ...(items.length ? { items } : {}),
    ...(typed ? { amount: Number(typed) } : {}),
  };
}
