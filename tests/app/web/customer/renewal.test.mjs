// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { LIFE_MS, Refusal, RENEW_MS, renewal } from "../../../../app/web/customer/static/renewal.js";
import { fakeClock, settle } from "./fake-clock.mjs";

/** A phone with a server that answers as the test says. */
function phone() {
  const clock = fakeClock();
  /** @type {any[]} */
  const drawn = [];
  let issued = 0;
  const server = {
    asked: 0,
    /** @type {Error | null} */ trouble: null,
    /** @type {Promise<void> | null} */ hold: null,
  };
  const codes = renewal({
    clock,
    show: (shown) => drawn.push(shown),
    keyOf: (code) => Number(code.slice("CODE".length)),
    async issue() {
      server.asked += 1;
      if (server.hold) await server.hold;
      if (server.trouble) throw server.trouble;
      issued += 1;
      return { code: `CODE${issued}`, short: "4KD7QX2", picture: "<svg/>" };
    },
  });
  return { clock, codes, server, drawn, now: () => drawn.at(-1) };
}

test("a code is shown as soon as it came, with the seconds it has left", async () => {
  const { codes, clock, now } = phone();
  codes.start();
  assert.equal(now().code, null);
  await clock.forward(0);
  assert.equal(now().code.code, "CODE1");
  assert.equal(now().left, 30);
  await clock.forward(9_000);
  assert.equal(now().left, 21);
  assert.equal(now().part, 0.7);
});

test("a code is renewed after thirty seconds, not sooner", async () => {
  const { codes, clock, server, now } = phone();
  codes.start();
  await clock.forward(RENEW_MS - 1);
  assert.equal(server.asked, 1);
  await clock.forward(1);
  assert.equal(server.asked, 2);
  assert.equal(now().code.code, "CODE2");
});

test("closing and opening shows the same code while it is young", async () => {
  const { codes, clock, server, now } = phone();
  codes.start();
  await clock.forward(10_000);
  codes.stop();
  await clock.forward(10_000);
  codes.start();
  await clock.forward(0);
  assert.equal(server.asked, 1);
  assert.equal(now().code.code, "CODE1");
  await clock.forward(10_000);
  assert.equal(now().code.code, "CODE2");
});

test("opening an older code asks for a new one", async () => {
  const { codes, clock, now } = phone();
  codes.start();
  await clock.forward(1_000);
  codes.stop();
  await clock.forward(26_000);
  codes.start();
  await clock.forward(0);
  assert.equal(now().code.code, "CODE2");
});

test("nothing is asked or drawn while the code is not shown", async () => {
  const { codes, clock, server, drawn } = phone();
  codes.start();
  await clock.forward(1_000);
  codes.stop();
  const before = drawn.length;
  await clock.forward(120_000);
  assert.equal(server.asked, 1);
  assert.equal(drawn.length, before);
  assert.equal(clock.waiting(), 0);
});

test("when renewing fails it is said at once, and the living code stays", async () => {
  const { codes, clock, server, now } = phone();
  codes.start();
  await clock.forward(0);
  server.trouble = new Error("No connection.");
  await clock.forward(RENEW_MS);
  assert.equal(now().trouble, "No connection.");
  assert.equal(now().code.code, "CODE1");
});

test("a dead code is never on the screen", async () => {
  const { codes, clock, server, drawn, now } = phone();
  codes.start();
  await clock.forward(0);
  server.trouble = new Error("No connection.");
  await clock.forward(LIFE_MS - 1_000);
  assert.notEqual(now().code, null);
  await clock.forward(1_000);
  assert.equal(now().code, null);
  const since = drawn.length;
  await clock.forward(60_000);
  assert.ok(drawn.slice(since).every((shown) => shown.code === null));
});

test("it tries again by itself, with growing waits, and takes the trouble back", async () => {
  const { codes, clock, server, now } = phone();
  server.trouble = new Error("No connection.");
  codes.start();
  await clock.forward(0);
  assert.equal(server.asked, 1);
  await clock.forward(1_000);
  assert.equal(server.asked, 2);
  await clock.forward(1_999);
  assert.equal(server.asked, 2);
  server.trouble = null;
  await clock.forward(1);
  assert.equal(server.asked, 3);
  assert.equal(now().trouble, null);
  assert.equal(now().code.code, "CODE1");
});

test("a refusal is final", async () => {
  const { codes, clock, server, now } = phone();
  server.trouble = new Refusal("This voucher was used.");
  codes.start();
  await clock.forward(120_000);
  assert.equal(server.asked, 1);
  assert.equal(now().final, true);
  assert.equal(now().trouble, "This voucher was used.");
});

test("a spent code is not shown again, however young", async () => {
  const { codes, clock, now } = phone();
  codes.start();
  await clock.forward(2_000);
  codes.spent();
  codes.stop();
  codes.start();
  assert.equal(now().code, null);
  await clock.forward(0);
  assert.equal(now().code.code, "CODE2");
});

test("a slow answer counts its age from the question", async () => {
  const { codes, clock, server, now } = phone();
  let answer = () => {};
  server.hold = new Promise((resolve) => { answer = () => resolve(undefined); });
  codes.start();
  await clock.forward(8_000);
  answer();
  await settle();
  assert.equal(now().left, 22);
});

test("an answer that comes after closing is kept for the next opening", async () => {
  const { codes, clock, server, now } = phone();
  let answer = () => {};
  server.hold = new Promise((resolve) => { answer = () => resolve(undefined); });
  codes.start();
  await clock.forward(1_000);
  codes.stop();
  answer();
  await settle();
  assert.equal(clock.waiting(), 0);
  codes.start();
  assert.equal(now().code.code, "CODE1");
  assert.equal(server.asked, 1);
});

test("opened again while the question is still out, it asks no second one", async () => {
  const { codes, clock, server, now } = phone();
  let answer = () => {};
  server.hold = new Promise((resolve) => { answer = () => resolve(undefined); });
  codes.start();
  await clock.forward(100);
  codes.stop();
  codes.start();
  await clock.forward(100);
  assert.equal(server.asked, 1);
  answer();
  await settle();
  assert.equal(now().code.code, "CODE1");
  await clock.forward(RENEW_MS);
  assert.equal(now().code.code, "CODE2");
});

test("a code whose key was revoked gives way to another at once", async () => {
  const { codes, clock, server, now } = phone();
  codes.start();
  await clock.forward(5_000);
  codes.revoked(new Set([7]));
  await clock.forward(0);
  assert.equal(server.asked, 1);

  codes.revoked(new Set([1, 7]));
  await clock.forward(0);
  assert.equal(now().code.code, "CODE2");
  assert.equal(now().left, 30);

  // and asking goes on from there
  await clock.forward(RENEW_MS);
  assert.equal(now().code.code, "CODE3");
  assert.equal(server.asked, 3);
});

test("a code whose key was revoked is not shown again when the page is opened again", async () => {
  const { codes, clock, server, now } = phone();
  codes.start();
  await clock.forward(1_000);
  codes.stop();
  codes.revoked(new Set([1]));
  assert.equal(server.asked, 1);
  codes.start();
  await clock.forward(0);
  assert.equal(now().code.code, "CODE2");
});
