import assert from "node:assert/strict";
import { test } from "node:test";

import { ago } from "../../../../app/web/customer/static/kept.js";

const minute = 60_000;

test("an age is said in the page's language, and below a minute not at all", () => {
  assert.equal(ago(0, 20_000, "en"), "");
  assert.equal(ago(0, 5 * minute, "en"), "5 minutes ago");
  assert.equal(ago(0, 3 * 60 * minute, "en"), "3 hours ago");
  assert.equal(ago(0, 24 * 60 * minute * 3, "en"), "3 days ago");
  assert.equal(ago(0, 5 * minute, "da"), "for 5 minutter siden");
});

test("a clock that was put back makes nothing younger than now", () => {
  assert.equal(ago(10 * minute, 0, "en"), "");
});
