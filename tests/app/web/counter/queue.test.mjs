// Scans that wait for an answer: what is kept, for whom, and when it is sent.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createCourier } from "../../../../app/web/counter/static/courier.js";
import { createQueue, within } from "../../../../app/web/counter/static/queue.js";

/** Storage of a browser, which outlives a page. */
function storageOf(kept = {}) {
  return {
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => (kept[key] = value),
  };
}

const scan = (id, staffId = "sofie") => ({ id, kind: "card", code: "C", stamps: 2, staffId });

test("a scan survives a reload with all that it needs to be asked again", () => {
  const storage = storageOf();
  createQueue({ storage, now: () => 5 }).add(scan("r1"));

  const [kept] = createQueue({ storage }).all();

  assert.deepEqual(kept, { ...scan("r1"), at: 5, state: "waiting", words: "" });
});

test("a scan that is asked for in the foreground is nobody else's, until a reload", () => {
  const storage = storageOf();
  const queue = createQueue({ storage });
  queue.add(scan("r1"));

  assert.equal(queue.next("sofie"), undefined);
  assert.equal(createQueue({ storage }).next("sofie")?.id, "r1");
  queue.release("r1");
  assert.equal(queue.next("sofie")?.id, "r1");
});

test("nobody's scan is sent in another's name, and its code is forgotten", () => {
  const storage = storageOf();
  const queue = createQueue({ storage });
  for (const one of [scan("r1"), scan("r2", "bo")]) queue.add(one);
  const fresh = createQueue({ storage });

  fresh.handOver("bo");

  assert.deepEqual(fresh.all().map(({ id, state, code }) => [id, state, code]), [
    ["r1", "left", ""],
    ["r2", "waiting", "C"],
  ]);
  assert.equal(fresh.next("sofie"), undefined);
  assert.equal(fresh.next("bo")?.id, "r2");
});

test("what was told is cleared, what waits is not", () => {
  const queue = createQueue({ storage: storageOf() });
  for (const id of ["r1", "r2"]) queue.add(scan(id));
  queue.refuse("r1", "The code died");

  queue.clearTold();

  assert.deepEqual(queue.all().map(({ id }) => id), ["r2"]);
});

test("too many lines lose what was told, never what waits", () => {
  const many = Array.from({ length: 60 }, (_, at) => ({
    id: String(at),
    state: at % 2 ? "waiting" : "refused",
  }));

  const left = within(many);

  assert.equal(left.length, 50);
  assert.equal(left.filter(({ state }) => state === "waiting").length, 30);
});

test("a browser that keeps nothing, or nonsense, still works", () => {
  const broken = {
    getItem: () => {
      throw new Error("not allowed");
    },
    setItem: () => {
      throw new Error("full");
    },
  };
  const queue = createQueue({ storage: broken });
  queue.add(scan("r1"));

  assert.deepEqual(queue.all().map(({ id }) => id), ["r1"]);
  assert.deepEqual(createQueue({ storage: storageOf({ "punchproof-queue": "{" }) }).all(), []);
});

/** A courier over a queue, and a server that gives these answers. */
function round(answers, ids = ["r1"]) {
  const storage = storageOf();
  const before = createQueue({ storage });
  for (const id of ids) before.add(scan(id));
  const queue = createQueue({ storage });
  const seen = { asked: [], told: [], ended: 0 };
  const courier = createCourier({
    queue,
    who: () => "sofie",
    call: async (_method, path, body, options) => {
      seen.asked.push([path, body.request_id, options.retry]);
      return answers.length ? answers.shift() : new Promise((next) =>
        options.signal.addEventListener("abort", () => next({ status: 0 })));
    },
    onAnswer: ({ id }, { answer }) => {
      seen.told.push([id, answer.status]);
      queue.drop(id);
    },
    onEnded: () => (seen.ended += 1),
  });
  return { courier, queue, seen };
}
const soon = () => new Promise((next) => setTimeout(next, 2));

test("each scan is asked for by its own request id, oldest first", async () => {
  const { courier, seen } = round([{ status: 201 }, { status: 410, body: {} }], ["r1", "r2"]);

  courier.start();
  courier.start();
  await soon();

  assert.deepEqual(seen.asked, [
    ["/api/v1/stamps", "r1", true],
    ["/api/v1/stamps", "r2", true],
  ]);
  assert.deepEqual(seen.told, [["r1", 201], ["r2", 410]]);
});

test("a session that has ended loses nothing", async () => {
  const { courier, queue, seen } = round([{ status: 401 }]);

  courier.start();
  await soon();

  assert.deepEqual([seen.told, seen.ended, queue.all().length], [[], 1, 1]);
});

test("before another person signs in nothing is under way any more", async () => {
  const { courier, queue, seen } = round([]);
  courier.start();
  await soon();

  await courier.pause();

  assert.deepEqual([seen.told, queue.all()[0].state], [[], "waiting"]);
});
