// What a barista is told to do for a voucher, and sums in the words of the page.
import assert from "node:assert/strict";
import { test } from "node:test";

import { sum, whatToDo } from "../../../../app/web/counter/static/worth.js";
import { plainly } from "./texts-of-page.mjs";

/** @param {any} voucher @param {number} [amount] */
const told = (voucher, amount) => whatToDo(voucher, amount, t, "en").map(plainly);

const t = {
  hand_over: "Hand it over",
  todo: {
    percent: "Take {percent} off",
    money: "Take {sum} off",
    rest: "{left} left",
    all_used: "Nothing left",
    event: "Let them in",
  },
};

test("a sum has the digits of its currency, and is written as the page's language does", () => {
  assert.equal(sum(350, "EUR", "en"), "€3.50");
  assert.equal(sum(350, "JPY", "en"), "¥350");
  assert.equal(sum(1250, "KWD", "en").replace(/\s/g, " "), "KWD 1.250");
  assert.match(sum(350, "EUR", "da"), /^3,50\s€$/);
});

test("each kind says what is to be done", () => {
  assert.deepEqual(told({ kind: "percent", worth: 15 }), [
    "Take 15% off",
  ]);
  assert.deepEqual(told({ kind: "event" }), ["Let them in"]);
  assert.deepEqual(told({ kind: "item" }), ["Hand it over"]);
  // what an older answer does not tell, and what a newer one may
  assert.deepEqual(told({}), ["Hand it over"]);
  assert.deepEqual(told({ kind: "balloon" }), ["Hand it over"]);
});

test("of money it is told what was used and what is left", () => {
  const voucher = { kind: "money", worth: 500, rest: 150, currency: "EUR" };
  assert.deepEqual(told(voucher, 350), ["Take €3.50 off", "€1.50 left"]);
  const used = { ...voucher, rest: 0 };
  assert.deepEqual(told(used, 500), ["Take €5.00 off", "Nothing left"]);
});
