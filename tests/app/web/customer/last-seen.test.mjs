// What a phone remembers of its card, and how old it says that is.
import assert from "node:assert/strict";
import { test } from "node:test";

import { howOld, keep, lastSeen } from "../../../../app/web/customer/static/last-seen.js";
import { usable } from "../../../../app/web/customer/static/usable.js";

const SEEN = { programme: "Coffee", stamps: 3, required: 10, number: "N° 1", vouchers: [], at: 5 };

function storageOf(kept = {}) {
  return { getItem: (key) => kept[key] ?? null, setItem: (key, value) => (kept[key] = value) };
}

test("the card is kept as it was", () => {
  const storage = storageOf();
  keep(storage, SEEN);

  assert.deepEqual(lastSeen(storage), SEEN);
});

for (const kept of ["{", "null", "[]", '{"stamps":"3","at":5}', '{"stamps":3}']) {
  test(`what is no card is not shown: ${kept}`, () => {
    assert.equal(lastSeen(storageOf({ "punchproof-card": kept })), null);
  });
}

test("a phone that keeps nothing says nothing", () => {
  const broken = {
    setItem: () => {
      throw new Error("full");
    },
    getItem: () => {
      throw new Error("not allowed");
    },
  };
  keep(broken, SEEN);

  assert.equal(lastSeen(broken), null);
});

const MINUTE = 60_000;
for (const [age, words] of [
  [-5, "this minute"],
  [30_000, "this minute"],
  [3 * MINUTE, "3 minutes ago"],
  [59 * MINUTE, "59 minutes ago"],
  [2 * 60 * MINUTE, "2 hours ago"],
  [30 * 60 * MINUTE, "yesterday"],
]) {
  test(`an age of ${age} ms is "${words}"`, () => {
    assert.equal(howOld(0, age, "en"), words);
  });
}

test("an offline phone promises no voucher that has ended", () => {
  const ends = Date.parse("2026-05-03T21:59:59+00:00");
  const dead = { reward: "Free coffee", until: "Good until 3 May", ends };
  const living = { reward: "Free cake", until: "", ends: null };
  const seen = { ...SEEN, vouchers: [dead, living] };

  assert.deepEqual(usable(seen, ends), [dead, living]);
  assert.deepEqual(usable(seen, ends + 999), [dead, living]);
  assert.deepEqual(usable(seen, ends + 1000), [living]);
});

test("vouchers that were kept before any could end are shown", () => {
  const seen = { ...SEEN, vouchers: ["Free coffee"] };

  assert.deepEqual(usable(seen, 5).map(({ reward }) => reward), ["Free coffee"]);
});
