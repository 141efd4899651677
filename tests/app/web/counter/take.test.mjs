// What becomes of a text that was scanned or typed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createTake } from "../../../../app/web/counter/static/take.js";
import { texts } from "./texts-of-page.mjs";

const KNOWN = {
  CARD: { kind: "card", code: "CARD" },
  SHORT: { kind: "short", code: "4KD7QX2" },
  TILL: { kind: "enrolment", code: "TILL" },
};

function till(now = {}) {
  const seen = { given: [], shown: [], foreign: 0, quantity: 3, ...now };
  const take = createTake({
    texts,
    readCode: (text) => KNOWN[text] ?? null,
    gate: { isBusy: () => Boolean(seen.isBusy), alone: async (work) => void (await work()) },
    skip: () => Boolean(seen.canSkip),
    serve: {
      give: async (read) => (seen.given.push(read.code), { mood: "given" }),
      present: async (screen) => (seen.shown.push(screen.mood), screen),
    },
    quantity: { value: () => seen.quantity, set: (count) => (seen.quantity = count), clear: () => (seen.isCleared = true) },
    isTraining: () => Boolean(seen.isTraining),
    isAsking: () => Boolean(seen.isAsking),
    touch: () => (seen.touched = true),
    onForeign: () => (seen.foreign += 1),
  });
  return { take, seen };
}

test("a card's code is given", async () => {
  const { take, seen } = till();

  await take("CARD", false);

  assert.deepEqual(seen.given, ["CARD"]);
  assert.equal(seen.touched, true);
});

test("what is no code of ours is said, and nothing else happens", async () => {
  const { take, seen } = till();

  await take("https://somewhere.example", false);

  assert.deepEqual([seen.foreign, seen.given, seen.shown], [1, [], []]);
});

test("seven characters count when typed, never when filmed", async () => {
  const { take, seen } = till();

  await take("SHORT", false);
  await take("SHORT", true);

  assert.equal(seen.foreign, 1);
  assert.deepEqual(seen.given, ["4KD7QX2"]);
});

test("a code that is not for tills is told from a card's", async () => {
  const { take, seen } = till();

  await take("TILL", false);

  assert.deepEqual([seen.given, seen.shown], [[], ["refused"]]);
});

test("in training nothing is given, and the quantity is one again", async () => {
  const { take, seen } = till({ isTraining: true });

  await take("CARD", false);

  assert.deepEqual([seen.given, seen.shown, seen.quantity], [[], ["practice"], 1]);
});

test("while a PIN is asked for nothing is taken", async () => {
  const { take, seen } = till({ isAsking: true });

  await take("CARD", false);

  assert.deepEqual(seen.given, []);
});

test("a finished result goes for the next scan, one under way does not", async () => {
  const finished = till({ isBusy: true, canSkip: true });
  const underWay = till({ isBusy: true, canSkip: false });

  await finished.take("CARD", false);
  await underWay.take("CARD", false);

  assert.deepEqual(finished.seen.given, ["CARD"]);
  assert.deepEqual(underWay.seen.given, []);
});
