// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { collect } from "../../../../app/web/customer/static/collect.js";
import { issuer } from "../../../../app/web/customer/static/issue.js";
import { Refusal } from "../../../../app/web/customer/static/renewal.js";

const texts = { no_network: "No connection.", busy: "Busy.", signed_out: "Gone.", slow_down: "Slow." };

/** @param {number} status @param {any} [body] */
const answering = (status, body = null) => issuer(async () => ({ status, body }), "/api/v1/cards/1/code", texts);

test("a code is asked for with its picture", async () => {
  /** @type {any[]} */
  const asked = [];
  const issue = issuer(async (...words) => {
    asked.push(words);
    return { status: 201, body: { code: "A", short: null, picture: "<svg/>" } };
  }, "/api/v1/cards/1/code", texts);
  assert.equal((await issue()).code, "A");
  assert.deepEqual(asked, [["POST", "/api/v1/cards/1/code?picture=svg"]]);
});

test("no answer, a busy server and too many questions are worth another try", async () => {
  for (const [status, words] of /** @type {const} */ ([[0, "No connection."], [503, "Busy."], [429, "Slow."]])) {
    await assert.rejects(answering(status), (error) => {
      assert.ok(!(error instanceof Refusal));
      assert.equal(/** @type {Error} */ (error).message, words);
      return true;
    });
  }
});

test("a refusal says the server's sentence and is final", async () => {
  await assert.rejects(answering(409, { detail: "This voucher was used." }), (error) => {
    assert.ok(error instanceof Refusal);
    assert.equal(error.message, "This voucher was used.");
    return true;
  });
});

test("a lost sign-in is final", async () => {
  await assert.rejects(answering(401), Refusal);
});

/** @param {{ status: number, body: any }} answer @param {number} [waits] */
function till(answer, waits = 0) {
  /** @type {any[]} */
  const asked = [];
  let told = 0;
  return {
    asked,
    told: () => told,
    run: () => collect({
      cardId: "1",
      code: "CODE",
      signal: new AbortController().signal,
      onWait: () => { told += 1; },
      async call(method, path, body, options) {
        asked.push([method, path, body]);
        for (let wait = 0; wait < waits; wait += 1) /** @type {any} */ (options).onWait("network", 400);
        return answer;
      },
    }),
  };
}

test("collecting posts the code to the card, and a repeat counts as given", async () => {
  for (const status of [200, 201]) {
    const { run, asked } = till({ status, body: {} });
    assert.deepEqual(await run(), { isGiven: true });
    assert.deepEqual(asked, [["POST", "/api/v1/cards/1/stamps", { code: "CODE" }]]);
  }
});

test("a refusal comes with the server's words", async () => {
  const { run } = till({ status: 409, body: { title: "Already used", detail: "Ask for a fresh one." } });
  assert.deepEqual(await run(), { isGiven: false, title: "Already used", detail: "Ask for a fresh one." });
});

test("waiting for the network is told once", async () => {
  const { run, told } = till({ status: 201, body: {} }, 3);
  await run();
  assert.equal(told(), 1);
});
