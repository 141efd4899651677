// Serving one customer, from the scan to the undo.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createServe } from "../../../../app/web/counter/static/serve.js";
import { plainly, texts } from "./texts-of-page.mjs";

const GIVEN = {
  status: 201,
  body: {
    stamp_id: "s1",
    stamps_given: 2,
    member_name: "Anna",
    card: { stamps: 9, stamps_required: 10, reward: "Free coffee" },
  },
};

/** A till whose server gives these answers and whose barista makes these choices. */
function till(answers, choices = []) {
  const seen = { asked: [], shown: [], toasts: [], lines: [], undone: [], quantity: 2 };
  const post = async (path, body) => {
    seen.asked.push({ path, body });
    return answers.shift();
  };
  const serve = createServe({
    speech: { texts, lang: "en" },
    screen: {
      show: async (screen) => {
        seen.shown.push([screen.mood, plainly(screen.title)]);
        return choices.shift() ?? "next";
      },
    },
    patience: async (work) =>
      answers.length ? { done: await work(post), stopped: "" } : { done: null, stopped: "Stopped." },
    quantity: { value: () => seen.quantity, set: (count) => (seen.quantity = count) },
    latest: { add: (given) => seen.lines.push(given.id), undone: (id) => seen.undone.push(id) },
    toast: (words) => seen.toasts.push(words),
  });
  return { serve, seen };
}

const card = { kind: "card", code: "C" };

test("a stamp given is shown, kept for undo, and the quantity is one again", async () => {
  const { serve, seen } = till([GIVEN]);

  await serve.give(card);

  assert.deepEqual(seen.shown, [["given", "2 stamps for Anna"]]);
  assert.deepEqual([seen.lines, seen.quantity], [["s1"], 1]);
});

test("a refusal keeps nothing, and the quantity is one again", async () => {
  const problem = { code: "code_spent", title: "Already used", detail: "Used." };
  const { serve, seen } = till([{ status: 409, body: problem }]);

  await serve.give(card);

  assert.deepEqual(seen.shown, [["refused", "Already used"]]);
  assert.deepEqual([seen.lines, seen.quantity], [[], 1]);
});

test("undo takes the stamp back with a reason and says so", async () => {
  const { serve, seen } = till([GIVEN, { status: 201, body: {} }], ["undo"]);

  await serve.give(card);

  assert.deepEqual(seen.asked[1], {
    path: "/api/v1/stamps/s1/reversal",
    body: { reason: "Undone at the till" },
  });
  assert.deepEqual(seen.shown.at(-1), ["undone", "Undone"]);
  assert.deepEqual(seen.undone, ["s1"]);
});

test("an undo that is refused stays in the list", async () => {
  const problem = { code: "voucher_spent", title: "Already used", detail: "Used." };
  const { serve, seen } = till([GIVEN, { status: 409, body: problem }], ["undo"]);

  await serve.give(card);

  assert.deepEqual([seen.shown.at(-1), seen.undone], [["refused", "Already used"], []]);
});

test("what a person stopped shows no result", async () => {
  const { serve, seen } = till([]);

  await serve.give(card);

  assert.deepEqual([seen.shown, seen.toasts, seen.quantity], [[], ["Stopped."], 1]);
});
