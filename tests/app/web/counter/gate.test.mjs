// One thing at a time, and when the camera looks.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createGate } from "../../../../app/web/counter/static/gate.js";

function till() {
  const seen = { looks: [], isCovered: false, free: 0 };
  const gate = createGate({ isCovered: () => seen.isCovered, onFree: () => (seen.free += 1) });
  gate.watch({
    pause: () => seen.looks.push("away"),
    resume: ({ whenClear }) => seen.looks.push(whenClear ? "when clear" : "here"),
  });
  return { gate, seen };
}

test("the camera looks as soon as it is there", () => {
  assert.deepEqual(till().seen.looks, ["here"]);
});

test("it looks away while a layer is open", () => {
  const { gate, seen } = till();
  seen.isCovered = true;

  gate.look();

  assert.equal(seen.looks.at(-1), "away");
  assert.equal(gate.isFree(), false);
});

test("it looks away while something is under way, and then waits for the phone to go", async () => {
  const { gate, seen } = till();
  let finish;

  const done = gate.alone(() => new Promise((settle) => (finish = settle)));
  assert.equal(gate.isBusy(), true);
  assert.equal(seen.looks.at(-1), "away");
  finish({ mood: "given" });
  await done;

  assert.equal(gate.isFree(), true);
  assert.equal(seen.looks.at(-1), "when clear");
  assert.equal(seen.free, 1);
});

test("after a refusal the same phone is looked at again at once", async () => {
  const { gate, seen } = till();

  await gate.alone(async () => ({ mood: "refused" }));

  assert.equal(seen.looks.at(-1), "here");
});

test("what fails leaves the till free", async () => {
  const { gate } = till();

  await assert.rejects(gate.alone(() => Promise.reject(new Error("broken"))));

  assert.equal(gate.isBusy(), false);
});

test("without a camera it does its work all the same", async () => {
  const gate = createGate({ isCovered: () => false, onFree: () => {} });

  await gate.alone(async () => ({ mood: "given" }));

  assert.equal(gate.isFree(), true);
});
