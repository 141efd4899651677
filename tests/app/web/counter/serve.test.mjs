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
  const seen = { asked: [], shown: [], toasts: [], lines: [], undone: [], quantity: 2, queue: [] };
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
    patience: async (work, may) => {
      if (answers[0] === "later") return { done: null, stopped: "", isLater: may.later };
      return answers.length
        ? { done: await work(post), stopped: "" }
        : { done: null, stopped: "Stopped.", isLater: false };
    },
    who: () => "sofie",
    queue: {
      add: ({ code, stamps, staffId }) => seen.queue.push(`add ${code} ${stamps} ${staffId}`),
      drop: () => seen.queue.push("drop"),
      release: () => seen.queue.push("release"),
      refuse: (_id, words) => seen.queue.push(`refuse ${words}`),
    },
    quantity: {
      value: () => seen.quantity,
      set: (count) => (seen.quantity = count),
      order: () => seen.order ?? {},
      clear: () => {
        const was = seen.order ?? null;
        delete seen.order;
        return was;
      },
      putBack: (was) => was && (seen.order = was),
    },
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

test("a scan is kept before it is sent, and leaves with its answer", async () => {
  const { serve, seen } = till([GIVEN]);

  await serve.give(card);

  assert.deepEqual(seen.queue, ["add C 2 sofie", "drop"]);
});

test("a scan that may wait is left to the queue, and the quantity is one again", async () => {
  const { serve, seen } = till(["later"]);

  await serve.give(card);

  assert.deepEqual(seen.queue, ["add C 2 sofie", "release"]);
  assert.deepEqual([seen.shown, seen.toasts, seen.quantity], [[], [], 1]);
});

const waited = { id: "r", kind: "card", code: "C", stamps: 2, staffId: "sofie", at: 0 };

test("a scan that waited and counts is kept for undo", () => {
  const { serve, seen } = till([]);

  const { mood } = serve.answered(waited, { door: "stamps", answer: GIVEN });

  assert.equal(mood, "given");
  assert.deepEqual([seen.queue, seen.lines], [["drop"], ["s1"]]);
});

for (const code of ["code_expired", "code_unknown", "code_revoked"]) {
  test(`a code that died while its scan waited is told plainly: ${code}`, () => {
    const { serve, seen } = till([]);
    const body = { code, title: "Too old", detail: "Show a fresh one." };

    const outcome = serve.answered(waited, { door: "stamps", answer: { status: 410, body } });

    assert.deepEqual([outcome.mood, outcome.title], ["refused", "The code died while waiting"]);
    assert.match(plainly(outcome.lines[0]), /^2 stamps, scanned at .*\d\d:\d\d/);
    assert.equal(outcome.lines[1], "Nothing was counted.");
    assert.deepEqual(seen.queue, ["refuse The code died while waiting"]);
  });
}

const COFFEE = { items: [{ item_id: "i1", quantity: 2 }] };

test("what was bought goes with the scan, and is not the next one's", async () => {
  const { serve, seen } = till([GIVEN]);
  seen.order = COFFEE;

  await serve.give(card);

  assert.deepEqual(seen.asked[0].body.items, COFFEE.items);
  assert.equal(seen.order, undefined);
});

test("a code that died leaves what was bought for the fresh one", async () => {
  const problem = { code: "code_expired", title: "Too old", detail: "Old." };
  const { serve, seen } = till([{ status: 410, body: problem }]);
  seen.order = COFFEE;

  await serve.give(card);

  assert.deepEqual(seen.order, COFFEE);
});

test("a reward handed out leaves what was bought to be told", async () => {
  const body = { redemption_id: "r", voucher: { reward: "Cake" }, card: {} };
  const { serve, seen } = till([{ status: 201, body }]);
  seen.order = COFFEE;

  await serve.give({ kind: "voucher", code: "V" });

  assert.deepEqual([seen.asked[0].body.items, seen.order], [undefined, COFFEE]);
});

test("what comes back is told with the sum, and what the card is short of", async () => {
  const body = { amount: 700, currency: "EUR", member_name: "Anna", card: { stamps: -2 } };
  const { serve, seen } = till([{ status: 201, body }]);

  await serve.refund({ purchase_id: "p", lines: [1], reason: "Brought back" });

  assert.equal(seen.asked[0].path, "/api/v1/purchases/p/refund");
  assert.deepEqual([seen.asked[0].body.lines, seen.asked[0].body.reason], [[1], "Brought back"]);
  assert.deepEqual(seen.shown, [["undone", "Pay back €7.00"]]);
});
