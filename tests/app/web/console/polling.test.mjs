// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { poll } from "../../../../app/web/console/static/polling.js";

/** A world whose waits are noted and take no time. */
function quickWorld() {
  /** @type {number[]} */
  const waits = [];
  return {
    waits,
    world: {
      wait: async (/** @type {number} */ ms) => void waits.push(ms),
      seen: async () => {},
    },
  };
}

test("it asks until it hears false", async () => {
  const { waits, world } = quickWorld();
  const answers = [true, undefined, false];

  await poll({ everyMs: 2000, ask: async () => answers.shift() }, world);

  assert.deepEqual(waits, [2000, 2000, 2000]);
});

test("failures are told once there are any, and waits grow until an answer", async () => {
  const { waits, world } = quickWorld();
  /** @type {boolean[]} */
  const told = [];
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked < 3) throw new TypeError("no network");
    return asked < 4;
  };

  await poll({ everyMs: 2000, ask, onAway: (isAway) => told.push(isAway) }, world);

  assert.deepEqual(waits, [2000, 4000, 8000, 2000]);
  assert.deepEqual(told, [true, true, false]);
});

test("waits end at half a minute", async () => {
  const { waits, world } = quickWorld();
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked === 8) return false;
    throw new TypeError("no network");
  };

  await poll({ everyMs: 2000, ask }, world);

  assert.equal(Math.max(...waits), 30_000);
});

test("a hidden page asks nothing", async () => {
  /** @type {string[]} */
  const order = [];
  const world = {
    wait: async () => void order.push("wait"),
    seen: async () => void order.push("seen"),
  };

  await poll({ everyMs: 1, ask: async () => (order.push("ask"), false) }, world);

  assert.deepEqual(order, ["wait", "seen", "ask"]);
});
