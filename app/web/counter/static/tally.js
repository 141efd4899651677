// @ts-check
/**
 * What the next scan is worth: how many stamps, and what was bought.
 *
 * @module counter/tally
 *
 * @typedef {import("./basket.js").Order} Order
 * @typedef {import("./basket.js").Basket} Basket
 *
 * @typedef {object} Tally
 * @property {() => number} value - stamps
 * @property {(count: number) => void} set
 * @property {() => Order} order - what was bought
 * @property {() => Basket | null} clear - for the next customer; what it was
 * @property {(was: Basket | null) => void} putBack - for the same customer's next try
 * @property {() => void} open - the drawer of what was bought
 */

import { createQuantity } from "./quantity.js";
import { createSale } from "./sale.js";
import { part } from "./words.js";

/**
 * @param {ParentNode} page - all of it
 * @param {HTMLElement} root - the till
 * @param {{ texts: any, lang: string, menu: import("./sale.js").Menu | null }} till -
 *   `menu`: null where nothing is sold by item or by sum
 * @returns {Tally}
 */
export function createTally(page, root, { texts, lang, menu }) {
  const quantity = createQuantity(part(root, "[data-controls] [data-quantity]"));
  const sale = menu && createSale(page, { texts, lang, menu });
  return {
    ...quantity,
    order: () => sale?.order() ?? {},
    clear() {
      const was = sale?.keep() ?? null;
      sale?.clear();
      return was;
    },
    putBack: (was) => void (was && sale?.putBack(was)),
    open: () => sale?.open(),
  };
}
