// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { inGroups, spelled } from "../../../../app/web/customer/static/layer.js";

test("a typed code is shown in two groups", () => {
  assert.equal(inGroups("4KD7QX2"), "4KD7 · QX2");
});

test("a code is upper case, whatever came", () => {
  assert.equal(inGroups("4kd7qx2"), "4KD7 · QX2");
});

test("no code is no text", () => {
  assert.equal(inGroups(null), "");
  assert.equal(inGroups(undefined), "");
  assert.equal(spelled(null), "");
});

test("a code is spelled, not read as a word", () => {
  assert.equal(spelled("CAFE234"), "C A F E 2 3 4");
});
