// A session that ends in the middle costs a PIN, never a stamp.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "../../../../app/web/counter/static/session.js";

test("after signing in the very same request goes out again", async () => {
  const heard = [];
  const answers = [{ status: 401 }, { status: 201 }];
  const call = async (_method, _path, body) => {
    heard.push(body);
    return answers.shift();
  };
  const body = { request_id: "one" };

  const answer = await createSession({ call, signIn: async () => "Mia" })("POST", "/x", body);

  assert.equal(answer.status, 201);
  assert.deepEqual(heard, [body, body]);
});

test("two requests that meet the end together ask for one PIN", async () => {
  let pins = 0;
  let isSignedIn = false;
  const call = async () => ({ status: isSignedIn ? 200 : 401 });
  const signIn = async () => {
    pins += 1;
    await new Promise((next) => setTimeout(next, 5));
    isSignedIn = true;
  };
  const ask = createSession({ call, signIn });

  await Promise.all([ask("GET", "/a"), ask("GET", "/b")]);

  assert.equal(pins, 1);
});

test("any other answer is passed on", async () => {
  const call = async () => ({ status: 409 });
  const signIn = () => assert.fail("nobody was signed out");

  assert.equal((await createSession({ call, signIn })("GET", "/a")).status, 409);
});
