// A till that nobody touches locks itself, never in the middle of a result.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createAutoLock } from "../../../../app/web/counter/static/auto-lock.js";

/** A till with a clock that the test moves. */
function till() {
  const kept = {};
  const at = { now: 0, isBusy: false, locks: 0, open: () => undefined };
  const page = new EventTarget();
  const lock = createAutoLock({
    page,
    storage: {
      getItem: (key) => kept[key] ?? null,
      setItem: (key, value) => (kept[key] = value),
      removeItem: (key) => delete kept[key],
    },
    isBusy: () => at.isBusy,
    lock: () => {
      at.locks += 1;
      return new Promise((resolve) => (at.open = resolve));
    },
    after: 1000,
    now: () => at.now,
  });
  const later = (ms) => {
    at.now += ms;
    lock.look();
  };
  return { at, kept, lock, later, page };
}

test("a quiet till locks once, and a touch puts it off", () => {
  const { at, later, page } = till();
  later(900);
  page.dispatchEvent(new Event("pointerdown"));
  later(900);
  assert.equal(at.locks, 0);
  later(100);
  later(5000);
  assert.equal(at.locks, 1);
});

test("never in the middle of a result, and only a while after it", () => {
  const { at, later } = till();
  at.isBusy = true;
  later(5000);
  at.isBusy = false;
  later(900);
  assert.equal(at.locks, 0);
  later(100);
  assert.equal(at.locks, 1);
});

test("a reload does not open it, a PIN does", async () => {
  const { at, kept, lock, later } = till();
  later(1000);
  assert.equal(lock.isLocked(), true);
  assert.deepEqual(Object.keys(kept), ["punchproof-locked"]);
  at.open();
  await new Promise((next) => setTimeout(next));
  assert.deepEqual([lock.isLocked(), Object.keys(kept)], [false, []]);
});
