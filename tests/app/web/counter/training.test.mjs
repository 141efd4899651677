// Training: nothing that could count leaves the device, and it ends by itself.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LASTS_MS, createTraining, practised } from "../../../../app/web/counter/static/training.js";
import { texts } from "./texts-of-page.mjs";

function till() {
  const kept = {};
  const at = { now: 1000, told: [], sent: [] };
  const storage = {
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => (kept[key] = value),
    removeItem: (key) => delete kept[key],
  };
  const make = () =>
    createTraining({ storage, onChange: (left) => at.told.push(left), now: () => at.now });
  const call = async (method, path) => {
    at.sent.push(`${method} ${path}`);
    return { status: 201 };
  };
  return { at, make, call };
}

const COUNTS = [
  "/api/v1/stamps",
  "/api/v1/redemptions",
  "/api/v1/stamp-codes?picture=svg",
  "/api/v1/stamps/s1/reversal",
  "/api/v1/hand-stamps",
  "/counter/enrol",
  "/anything/else",
];

test("in training no call that could count is sent, whoever asks", async () => {
  const { at, make, call } = till();
  const training = make();
  const ask = training.guard(call);
  training.start();

  for (const path of COUNTS) assert.equal((await ask("POST", path)).status, 403);

  assert.deepEqual(at.sent, []);
});

test("in training people may sign in and out, and pages may read", async () => {
  const { at, make, call } = till();
  const training = make();
  training.start();
  const ask = training.guard(call);

  await ask("POST", "/counter/sign-in");
  await ask("POST", "/counter/sign-out");
  await ask("GET", "/api/v1/staff");

  assert.equal(at.sent.length, 3);
});

test("it survives a reload, and ends by itself after fifteen minutes", async () => {
  const { at, make, call } = till();
  make().start();
  const training = make();
  assert.equal(training.isOn(), true);

  at.now += LASTS_MS - 1;
  training.look();
  assert.equal(training.isOn(), true);
  at.now += 1;
  training.look();

  assert.deepEqual([training.isOn(), at.told], [false, [15, 1, 0]]);
  assert.equal((await training.guard(call)("POST", COUNTS[0])).status, 201);
});

test("a clock that was put back does not make it last", () => {
  const { at, make } = till();
  const training = make();
  training.start();

  at.now -= 60_000;

  assert.equal(training.isOn(), false);
});

test("a practice is neither green nor a thing to undo", () => {
  const screen = practised("card", 2, texts.training);

  assert.deepEqual(
    [screen.mood, screen.title, screen.lines, screen.undo],
    ["practice", "Practice: 2 stamps", ["Nothing was given."], null],
  );
});
