import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { middle, MOST_BYTES } from "../../../../app/web/console/static/logo.js";

test("the middle of a picture is kept", () => {
  assert.deepEqual(middle(300, 100), { x: 100, y: 0, side: 100 });
  assert.deepEqual(middle(100, 300), { x: 0, y: 100, side: 100 });
  assert.deepEqual(middle(64, 64), { x: 0, y: 0, side: 64 });
});

test("the page sends no more than the server takes", () => {
  const rule = readFileSync(new URL("../../../../app/programme/shop/look.py", import.meta.url), "utf8");
  const [, kilobytes] = /LOGO_BYTES = (\d+) \* 1024/.exec(rule) ?? [];
  assert.equal(MOST_BYTES, Number(kilobytes) * 1024);
});
