// One scan: the right door, one request id.
import assert from "node:assert/strict";
import { test } from "node:test";

import { requestId, spend } from "../../../../app/web/counter/static/spend.js";

/** A server that gives these answers in turn. */
function server(...answers) {
  const heard = [];
  const post = async (path, body) => {
    heard.push({ path, ...body });
    return answers.shift();
  };
  return { world: { post, newId: () => `id-${heard.length}` }, heard };
}

test("a card's code goes to the stamps, with how many", async () => {
  const { world, heard } = server({ status: 201, body: {} });

  const { door } = await spend({ kind: "card", code: "C" }, 3, world);

  assert.equal(door, "stamps");
  assert.deepEqual(heard, [
    { path: "/api/v1/stamps", code: "C", stamps: 3, request_id: "id-0" },
  ]);
});

test("a voucher's code goes to the redemptions", async () => {
  const { world, heard } = server({ status: 201, body: {} });

  const { door } = await spend({ kind: "voucher", code: "V" }, 3, world);

  assert.equal(door, "redemptions");
  assert.deepEqual(heard, [
    { path: "/api/v1/redemptions", code: "V", request_id: "id-0" },
  ]);
});

test("a short code that stands for a voucher finds the other door as the same request", async () => {
  const wrong = { status: 400, body: { code: "code_wrong_kind" } };
  const { world, heard } = server(wrong, { status: 201, body: {} });

  const { door, answer } = await spend({ kind: "short", code: "4KD7QX2" }, 1, world);

  assert.deepEqual([door, answer.status], ["redemptions", 201]);
  assert.deepEqual(heard.map((each) => each.request_id), ["id-0", "id-0"]);
});

test("a whole code of the wrong kind is refused and goes nowhere else", async () => {
  const { world, heard } = server({ status: 400, body: { code: "code_wrong_kind" } });

  await spend({ kind: "card", code: "C" }, 1, world);

  assert.equal(heard.length, 1);
});

test("request ids are 32 hex digits and never the same", () => {
  const ids = new Set(Array.from({ length: 100 }, requestId));

  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
});

test("a card that nobody showed has a door of its own, and the same request id", async () => {
  const asked = [];
  const post = async (path, body) => {
    asked.push([path, body]);
    return { status: 201, body: {} };
  };

  const { door } = await spend({ kind: "hand", code: "card-1" }, 2, { post, newId: () => "r1" });

  assert.equal(door, "stamps");
  assert.deepEqual(asked, [
    ["/api/v1/hand-stamps", { card_id: "card-1", stamps: 2, request_id: "r1" }],
  ]);
});

test("a card that nobody showed carries what was bought too", async () => {
  const { world, heard } = server({ status: 201, body: {} });
  const order = { items: [{ item_id: "i", quantity: 2 }], amount: 700 };

  await spend({ kind: "hand", code: "K" }, 2, { ...world, order });

  assert.deepEqual(heard, [
    { path: "/api/v1/hand-stamps", card_id: "K", stamps: 2, request_id: "id-0", ...order },
  ]);
});
