import assert from "node:assert/strict";
import { test } from "node:test";

import { keyOf } from "../../../../app/web/shared/static/code-key.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The first characters of a code by this key, made the long way. */
function codeOf(key, kind = 0x11, after = 0xff) {
  const bits = [kind, key >> 8, key & 0xff, after].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.match(/.{5}/g).map((five) => ALPHABET[parseInt(five, 2)]).join("");
}

test("the key's id is read whatever stands before and after it", () => {
  for (const key of [0, 1, 2, 255, 256, 0x1234, 0xffff]) {
    for (const kind of [0x11, 0x13, 0xff, 0x00]) {
      assert.equal(keyOf(codeOf(key, kind, 0x00)), key);
      assert.equal(keyOf(codeOf(key, kind, 0xff)), key);
    }
  }
});
