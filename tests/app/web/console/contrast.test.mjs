// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { colourOf, inkOn } from "../../../../app/web/console/static/contrast.js";
import { clock } from "../../../../app/web/console/static/countdown.js";

// The same table as in tests/app/programme/test_shop.py: both must agree.
const INKS = [
  ["#0f5c4a", "#ffffff"],
  ["#000000", "#ffffff"],
  ["#ffffff", "#1d1a16"],
  ["#ffd400", "#1d1a16"],
  ["#808080", "#000000"],
];

for (const [colour, ink] of INKS) {
  test(`words on ${colour} are ${ink}`, () => {
    assert.equal(inkOn(colour), ink);
  });
}

test("a colour is six hexadecimal digits, in either case", () => {
  assert.equal(colourOf(" #0F5C4A "), "#0f5c4a");
  assert.equal(colourOf("#0f5"), null);
  assert.equal(colourOf("green"), null);
});

test("the clock tells minutes and seconds and stops at nothing", () => {
  assert.equal(clock(600), "10:00");
  assert.equal(clock(64.2), "1:05");
  assert.equal(clock(0), "0:00");
  assert.equal(clock(-3), "0:00");
});
