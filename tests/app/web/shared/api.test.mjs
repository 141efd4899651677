// One scan is one request however often it is sent, and nothing is thrown.
import assert from "node:assert/strict";
import { test } from "node:test";

import { call } from "../../../../app/web/shared/static/api.js";

/** A server that gives these answers in turn; a status of 0 is no answer at all. */
function server(...answers) {
  const heard = [];
  const waits = [];
  const world = {
    csrf: () => "token-of-the-page",
    wait: async (ms) => void waits.push(ms),
    fetch: async (path, options) => {
      heard.push({ path, ...options });
      const { status, body = {}, headers = {} } = answers.shift();
      if (status === 0) throw new TypeError("network");
      return new Response(JSON.stringify(body), { status, headers });
    },
  };
  return { world, heard, waits };
}

test("an answer comes back with its status, body and ETag", async () => {
  const { world } = server({ status: 201, body: { n: 1 }, headers: { ETag: '"3"' } });

  const answer = await call("POST", "/x", { a: 1 }, { world });

  assert.equal(answer.status, 201);
  assert.deepEqual(answer.body, { n: 1 });
  assert.equal(answer.etag, '"3"');
});

test("an unsafe call carries the page's CSRF token, a GET does not", async () => {
  const { world, heard } = server({ status: 200 }, { status: 200 });

  await call("POST", "/x", {}, { world });
  await call("GET", "/x", null, { world });

  assert.equal(heard[0].headers["X-CSRFToken"], "token-of-the-page");
  assert.equal(heard[1].headers["X-CSRFToken"], undefined);
});

test("a page that is too old gets itself a token and asks once more", async () => {
  const old = { status: 403, body: { code: "page_too_old" } };
  const token = { status: 200, body: { token: "fresh" } };
  const { world, heard } = server(old, token, { status: 201 });
  let held = "stale";
  Object.assign(world, { csrf: () => held, setCsrf: (fresh) => (held = fresh) });

  const answer = await call("POST", "/x", { request_id: "one" }, { world });

  assert.equal(answer.status, 201);
  assert.deepEqual(
    heard.map((each) => [each.method, each.path, each.headers["X-CSRFToken"], each.body]),
    [
      ["POST", "/x", "stale", '{"request_id":"one"}'],
      ["GET", "/page-token", undefined, undefined],
      ["POST", "/x", "fresh", '{"request_id":"one"}'],
    ],
  );
});

test("a page that is too old even with a new token says so", async () => {
  const old = { status: 403, body: { code: "page_too_old" } };
  const { world } = server(old, { status: 200, body: { token: "fresh" } }, old);
  Object.assign(world, { setCsrf: () => {} });

  const answer = await call("POST", "/x", {}, { world });

  assert.equal(answer.body.code, "page_too_old");
});

test("a lost answer is asked for again with the same body and growing waits", async () => {
  const lost = { status: 0 };
  const { world, heard, waits } = server(lost, lost, lost, { status: 201 });
  const body = { request_id: "one" };

  const answer = await call("POST", "/x", body, { retry: true, world });

  assert.equal(answer.status, 201);
  assert.deepEqual(new Set(heard.map((each) => each.body)), new Set([JSON.stringify(body)]));
  assert.deepEqual(waits, [400, 800, 1600]);
});

test("a lost answer without retry is status 0 and unsure", async () => {
  const { world } = server({ status: 0 });

  const answer = await call("POST", "/x", {}, { world });

  assert.deepEqual([answer.status, answer.unsure], [0, true]);
});

test("an answer that is given at once is sure", async () => {
  const { world } = server({ status: 503 }, { status: 201 });

  const answer = await call("POST", "/x", {}, { retry: true, world });

  assert.equal(answer.unsure, false);
});

test("a code in use is asked for again after the time that the server names", async () => {
  const inUse = { status: 409, body: { code: "code_in_use" }, headers: { "Retry-After": "7" } };
  const { world, waits } = server(inUse, { status: 201 });
  const reasons = [];

  await call("POST", "/x", {}, { retry: true, world, onWait: (why) => reasons.push(why) });

  assert.deepEqual([waits, reasons], [[7000], ["in_use"]]);
});

test("a store that is away is asked again, and the page hears why it waits", async () => {
  const { world } = server({ status: 503 }, { status: 0 }, { status: 201 });
  const reasons = [];

  await call("POST", "/x", {}, { retry: true, world, onWait: (why) => reasons.push(why) });

  assert.deepEqual(reasons, ["busy", "network"]);
});

for (const status of [400, 403, 409, 410, 422, 429]) {
  test(`a refusal is an answer: ${status} is not asked again`, async () => {
    const { world, heard } = server({ status, body: { code: "code_spent" } });

    const answer = await call("POST", "/x", {}, { retry: true, world });

    assert.deepEqual([answer.status, heard.length], [status, 1]);
  });
}

test("so many tries as were asked for, and no more", async () => {
  const lost = { status: 0 };
  const { world, heard } = server(lost, lost, lost, lost);

  await call("POST", "/x", {}, { retry: 2, world });

  assert.equal(heard.length, 3);
});

test("a person who stops waiting gets no further try", async () => {
  const { world, heard } = server({ status: 0 }, { status: 201 });
  const stop = new AbortController();
  const options = { retry: true, world, signal: stop.signal, onWait: () => stop.abort() };

  const answer = await call("POST", "/x", {}, options);

  assert.deepEqual([answer.status, heard.length], [0, 1]);
});

test("a proxy's page in place of JSON gives its status and no body", async () => {
  const world = { csrf: () => "", fetch: async () => new Response("<h1>Oh", { status: 500 }) };

  const answer = await call("POST", "/x", {}, { world });

  assert.deepEqual([answer.status, answer.body], [500, null]);
});

test("a server that says nothing for too long has given no answer", async () => {
  const never = (_path, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error())));

  const answer = await call("GET", "/x", null, { world: { fetch: never, timeout: 5 } });

  assert.equal(answer.status, 0);
});

test("a refusal that may have overtaken an unanswered try stands when that is over", async () => {
  const late = { status: 410, body: { code: "code_expired" } };
  const { world, waits } = server({ status: 0 }, late, late, late, late, late, late);
  let clock = 0;
  const wait = world.wait;
  Object.assign(world, { now: () => clock, wait: (ms) => ((clock += ms), wait(ms)) });

  const answer = await call("POST", "/x", { request_id: "one" }, { retry: true, world });

  assert.equal(answer.body.code, "code_expired");
  // not before the server's lease of the first try has ended
  assert.ok(waits.reduce((sum, ms) => sum + ms) >= 15_000);
});

test("the first answer that comes after such a refusal is the one", async () => {
  const late = { status: 404, body: { code: "code_unknown" } };
  const { world, heard } = server({ status: 0 }, late, { status: 200, body: { stamp_id: "1" } });

  const answer = await call("POST", "/x", { request_id: "one" }, { retry: true, world });

  assert.equal(answer.body.stamp_id, "1");
  assert.equal(new Set(heard.map(({ body }) => body)).size, 1);
});

test("a refusal after nothing but answers stands at once", async () => {
  const { world, waits } = server({ status: 410, body: { code: "code_expired" } });

  await call("POST", "/x", {}, { retry: true, world });

  assert.deepEqual(waits, []);
});
