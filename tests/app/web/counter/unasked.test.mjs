// Answers that come while nobody waits for them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createUnasked } from "../../../../app/web/counter/static/unasked.js";

const GOOD = { mood: "given", title: "1 stamp for Anna", lines: ["card 4417 2093"] };
const BAD = { mood: "refused", title: "The code died while waiting", lines: [] };

function till({ isBusy = false, isCovered = false } = {}) {
  const seen = { shown: [], sounds: [], toasts: [], room: 0 };
  const unasked = createUnasked({
    texts: { queue: { confirmed: "Confirmed:" } },
    gate: {
      isBusy: () => isBusy,
      isFree: () => !isBusy && !isCovered,
      alone: async (work) => void (await work()),
    },
    present: async (outcome) => (seen.shown.push(outcome.title), outcome),
    sound: {
      given: () => seen.sounds.push("given"),
      refused: () => seen.sounds.push("refused"),
    },
    toast: (words) => seen.toasts.push(words),
  });
  return { unasked, seen };
}

test("a collected code owns the screen, and the shown code goes", async () => {
  const { unasked, seen } = till();

  await unasked.collected(GOOD, () => (seen.room += 1));

  assert.deepEqual([seen.shown, seen.room], [["1 stamp for Anna"], 1]);
});

test("while another is served it is a line, and nothing is torn away", async () => {
  const { unasked, seen } = till({ isBusy: true });

  await unasked.collected(GOOD, () => (seen.room += 1));

  assert.deepEqual([seen.shown, seen.room], [[], 0]);
  assert.deepEqual(seen.toasts, ["1 stamp for Anna · card 4417 2093"]);
});

test("a scan of before that was good is told in a line, with its sound", async () => {
  const { unasked, seen } = till();

  await unasked.late(GOOD);

  assert.deepEqual(seen.toasts, ["Confirmed: 1 stamp for Anna"]);
  assert.deepEqual([seen.sounds, seen.shown], [["given"], []]);
});

test("one that was refused owns the screen when nothing is under way", async () => {
  const { unasked, seen } = till();

  await unasked.late(BAD);

  assert.deepEqual([seen.shown, seen.toasts], [["The code died while waiting"], []]);
});

test("and is a line where it would cover something", async () => {
  for (const now of [{ isBusy: true }, { isCovered: true }]) {
    const { unasked, seen } = till(now);

    await unasked.late(BAD);

    assert.deepEqual([seen.shown, seen.toasts], [[], ["The code died while waiting"]]);
    assert.deepEqual(seen.sounds, ["refused"]);
  }
});
