// @ts-check
/**
 * What was bought, tapped before the scan: tiles over the quantities, and all of them
 * with a number pad in a drawer. Nothing of it is needed for a stamp.
 *
 * @module counter/sale
 *
 * @typedef {import("./basket.js").Basket} Basket
 * @typedef {import("./basket.js").Item} Item
 * @typedef {{ items: Item[], currency: string }} Menu - favourites first
 */

import { EMPTY, erased, isEmpty, orderOf, totalOf, withDigits, withOne, withoutOne } from "./basket.js";
import { money } from "./money.js";
import { groups, tile, basketRow } from "./tiles.js";
import { fill, part, say } from "./words.js";

/** Tiles that stand on the page; all are in the drawer. */
const ON_PAGE = 12;

/**
 * @param {ParentNode} page - all of it
 * @param {object} till
 * @param {any} till.texts - of the sale
 * @param {string} till.lang
 * @param {Menu} till.menu
 */
export function createSale(page, { texts, lang, menu }) {
  const strip = part(page, "[data-sale]");
  const dialog = /** @type {HTMLDialogElement} */ (part(page, "#sale"));
  const told = part(strip, "[data-told]");
  const pad = part(dialog, "[data-pad]");
  /** @type {Basket} */
  let basket = EMPTY;

  const add = (/** @type {string} */ id) => change(withOne(basket, id));
  const take = (/** @type {string} */ id) => change(withoutOne(basket, id));
  const onPage = menu.items.slice(0, ON_PAGE).map((item) => tile(item, add, texts));
  const inDrawer = menu.items.map((item) => tile(item, add, texts));
  const rows = menu.items.map((item) => basketRow(item, { add, take, texts }));
  part(dialog, "[data-rows]").append(...rows.map(({ element }) => element));
  part(strip, "[data-tiles]").prepend(...onPage.map(({ element }) => element));
  part(dialog, "[data-tiles]").append(...groups(menu.items, inDrawer));

  /** @param {Basket} next */
  function change(next) {
    basket = next;
    draw();
  }

  /** @returns {string} "3 items · €11.00" */
  function summary() {
    const many = Object.values(basket.counts).reduce((sum, count) => sum + count, 0);
    const sum = money(totalOf(basket, menu.items), menu.currency, lang);
    return many ? fill(texts.summary[Math.min(many, texts.summary.length) - 1], { sum }) : sum;
  }

  function draw() {
    const nothing = isEmpty(basket);
    const sum = money(totalOf(basket, menu.items), menu.currency, lang);
    for (const each of [...onPage, ...inDrawer]) {
      each.show(basket.counts[each.id] ?? 0, money(each.price, menu.currency, lang));
    }
    told.hidden = nothing;
    say(part(told, "[data-summary]"), nothing ? "" : summary());
    say(part(dialog, "[data-sum]"), sum);
    part(dialog, "[data-sum-note]").textContent = basket.typed ? texts.typed : "";
    for (const row of rows) row.show(basket.counts[row.id] ?? 0);
    for (const button of page.querySelectorAll("[data-clear-sale]")) {
      /** @type {HTMLButtonElement} */ (button).disabled = nothing;
    }
  }

  for (const button of page.querySelectorAll("[data-clear-sale]")) {
    button.addEventListener("click", () => change(EMPTY));
  }
  pad.addEventListener("click", ({ target }) => {
    const key = target instanceof Element ? target.closest("button") : null;
    if (key?.dataset.digit) change(withDigits(basket, key.dataset.digit));
    else if (key) change(erased(basket));
  });
  part(told, "[data-edit]").addEventListener("click", () => part(page, "[data-sale-open]").click());
  draw();

  return {
    open: () => dialog.showModal(),
    /** What the next scan tells of it. */
    order: () => orderOf(basket),
    clear: () => change(EMPTY),
    /** Put back what a scan had taken, for the same customer's next try. */
    keep: () => basket,
    /** @param {Basket} was */
    putBack: (was) => isEmpty(basket) && change(was),
  };
}
