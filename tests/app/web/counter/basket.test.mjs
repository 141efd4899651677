// What is being bought: tapped, counted, typed, cleared, and told without prices.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EMPTY,
  erased,
  isEmpty,
  orderOf,
  totalOf,
  withDigits,
  withOne,
  withoutOne,
} from "../../../../app/web/counter/static/basket.js";
import { bought, money } from "../../../../app/web/counter/static/money.js";
import { plainly } from "./texts-of-page.mjs";

const MENU = [
  { item_id: "a", name: "Coffee", price: 350, category: "", is_favourite: true },
  { item_id: "b", name: "Cake", price: 400, category: "", is_favourite: false },
];

/** @param {string} keys */
const typed = (keys) => [...keys].reduce((basket, key) => withDigits(basket, key), EMPTY);

test("a tap is one, another tap another, and one less takes one away", () => {
  let basket = withOne(withOne(withOne(EMPTY, "a"), "a"), "b");
  assert.equal(totalOf(basket, MENU), 1100);
  basket = withoutOne(withoutOne(basket, "b"), "b");
  assert.deepEqual(orderOf(basket), { items: [{ item_id: "a", quantity: 2 }] });
  assert.ok(isEmpty(withoutOne(withoutOne(basket, "a"), "a")));
});

test("nothing tapped tells nothing, so that stamps are as ever", () => {
  assert.deepEqual(orderOf(EMPTY), {});
});

test("a sum is typed from its last digit, and counts instead of the items'", () => {
  const basket = { ...typed("0350"), counts: { a: 1 } };
  assert.equal(totalOf(basket, MENU), 350);
  assert.deepEqual(orderOf(basket), { items: [{ item_id: "a", quantity: 1 }], amount: 350 });
  assert.equal(erased(basket).typed, "35");
});

test("neither a sum nor a number grows without end", () => {
  assert.equal(typed("123456789").typed, "1234567");
  let basket = EMPTY;
  for (let times = 0; times < 120; times += 1) basket = withOne(basket, "a");
  assert.equal(basket.counts.a, 99);
});

test("a purchase is told in the language of the page", () => {
  const purchase = {
    amount: 1150,
    currency: "EUR",
    lines: [
      { name: "Coffee", quantity: 2 },
      { name: "Cake", quantity: 1 },
      { name: null, quantity: 1 },
    ],
  };
  assert.equal(plainly(bought(purchase, { other: "Other" }, "en")), "2 × Coffee, Cake · €11.50");
  assert.equal(money(350, "JPY", "en"), "¥350");
});
