import assert from "node:assert/strict";
import { test } from "node:test";

import { way } from "../../../../app/web/customer/static/swipe.js";

const from = { x: 200, y: 200 };

test("a finger to the left leads to the next card, to the right to the one before", () => {
  assert.equal(way(from, { x: 100, y: 210 }, false), 1);
  assert.equal(way(from, { x: 300, y: 190 }, false), -1);
});

test("from right to left it is the other way round", () => {
  assert.equal(way(from, { x: 100, y: 210 }, true), -1);
  assert.equal(way(from, { x: 300, y: 190 }, true), 1);
});

test("a tap, and scrolling, lead nowhere", () => {
  assert.equal(way(from, { x: 190, y: 200 }, false), 0);
  assert.equal(way(from, { x: 120, y: 320 }, false), 0);
});
