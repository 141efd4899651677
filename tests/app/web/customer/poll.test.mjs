// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { poll } from "../../../../app/web/customer/static/poll.js";
import { fakeClock } from "./fake-clock.mjs";

/** A page that watches a card of which the test turns the version. */
function page({ version = 3 } = {}) {
  const clock = fakeClock();
  const server = {
    version,
    status: 200,
    isDown: false,
    /** @type {string[]} */ tags: [],
  };
  /** @type {any[]} */
  const changes = [];
  /** @type {boolean[]} */
  const troubles = [];
  /** @type {(string | null)[]} */
  const told = [];
  let gone = 0;
  let brokenFaces = 0;
  const watch = poll({
    url: "/api/v1/cards/1",
    tag: String(version),
    after: clock.after,
    onChange: (body) => {
      if (brokenFaces > 0) {
        brokenFaces -= 1;
        throw new Error("face: 503");
      }
      changes.push(body);
    },
    onAnswer: (headers) => told.push(headers.get("Revoked-Keys")),
    onTrouble: (isOffline) => troubles.push(isOffline),
    onGone: () => { gone += 1; },
    fetch: /** @type {any} */ (async (/** @type {string} */ _url, /** @type {any} */ { headers }) => {
      server.tags.push(headers["If-None-Match"]);
      if (server.isDown) throw new TypeError("no network");
      if (server.status !== 200) return new Response(null, { status: server.status });
      const etag = `"${server.version}"`;
      if (headers["If-None-Match"] === etag) return new Response(null, { status: 304, headers: { "Revoked-Keys": "4" } });
      return Response.json({ version: server.version }, { headers: { ETag: etag } });
    }),
  });
  return {
    clock, server, watch, changes, troubles, told,
    gone: () => gone,
    breakFaces: (/** @type {number} */ times) => { brokenFaces = times; },
  };
}

/** Answers with a body take the real event loop a turn or two. */
const heard = () => new Promise((resolve) => setTimeout(resolve, 5));

test("an unchanged card is asked for by its version and changes nothing", async () => {
  const { clock, server, watch, changes } = page();
  watch.pace(1_500);
  await clock.forward(4_500);
  assert.deepEqual(server.tags, ['"3"', '"3"', '"3"', '"3"']);
  assert.deepEqual(changes, []);
});

test("a change is told once", async () => {
  const { clock, server, watch, changes } = page();
  watch.pace(1_500);
  await clock.forward(0);
  server.version = 4;
  await clock.forward(1_500);
  await heard();
  await clock.forward(1_500);
  await heard();
  assert.deepEqual(changes, [{ version: 4 }]);
  assert.equal(server.tags.at(-1), '"4"');
});

test("a change that the page could not take is told again", async () => {
  const { clock, server, watch, changes, breakFaces } = page();
  breakFaces(1);
  server.version = 4;
  watch.pace(1_500);
  await clock.forward(0);
  await heard();
  assert.deepEqual(changes, []);
  await clock.forward(5_000);
  await heard();
  assert.deepEqual(changes, [{ version: 4 }]);
});

test("pace nought asks nothing more", async () => {
  const { clock, server, watch } = page();
  watch.pace(1_500);
  await clock.forward(0);
  watch.pace(0);
  await clock.forward(60_000);
  assert.equal(server.tags.length, 1);
});

test("a quicker pace asks at once", async () => {
  const { clock, server, watch } = page();
  watch.pace(8_000);
  await clock.forward(1_000);
  watch.pace(1_500);
  await clock.forward(0);
  assert.equal(server.tags.length, 2);
});

test("one lost question is nobody's business, two in a row are told, an answer takes it back", async () => {
  const { clock, server, watch, troubles } = page();
  server.isDown = true;
  watch.pace(1_000);
  await clock.forward(0);
  assert.deepEqual(troubles, []);
  await clock.forward(2_000);
  assert.deepEqual(troubles, [true]);
  server.isDown = false;
  await clock.forward(4_000);
  assert.deepEqual(troubles, [true, false]);
});

test("while nobody answers it asks less and less, but never stops", async () => {
  const { clock, server, watch } = page();
  server.isDown = true;
  watch.pace(1_000);
  await clock.forward(60_000);
  const asked = server.tags.length;
  assert.ok(asked < 12, `${asked}`);
  await clock.forward(16_000);
  assert.ok(server.tags.length > asked);
});

test("a card that is no longer ours ends the watch", async () => {
  const { clock, server, watch, gone } = page();
  server.status = 401;
  watch.pace(1_000);
  await clock.forward(10_000);
  assert.equal(gone(), 1);
  assert.equal(server.tags.length, 1);
});

test("a server in trouble counts like no answer", async () => {
  const { clock, server, watch, troubles, changes } = page();
  server.status = 503;
  watch.pace(1_000);
  await clock.forward(4_000);
  assert.deepEqual(troubles, [true]);
  assert.deepEqual(changes, []);
});

test("what an answer says beside the card is heard, changed or not", async () => {
  const { watch, clock, server, told } = page();
  watch.pace(1_000);
  await clock.forward(0);
  server.version = 4;
  await clock.forward(1_000);
  assert.deepEqual(told, ["4", null]);
});
