// The first byte of a code tells its kind; the rest is the server's business.
import assert from "node:assert/strict";
import { test } from "node:test";

import { readCode } from "../../../../app/web/shared/static/scanner/code-text.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** 128 characters whose first byte is this one. */
const codeOf = (byte) => ALPHABET[byte >> 3] + ALPHABET[(byte & 7) << 2] + "A7".repeat(63);
const CARD = codeOf(0x11);

for (const [byte, kind] of Object.entries({
  0x11: "card",
  0x12: "stamp",
  0x13: "voucher",
  0x14: "printed",
  0x15: "enrolment",
  0x16: "newer",
  0x21: "newer",
})) {
  test(`first byte ${byte} is ${kind}`, () => {
    assert.deepEqual(readCode(codeOf(Number(byte))), { kind, code: codeOf(Number(byte)) });
  });
}

test("the second character's other bits are no part of the first byte", () => {
  assert.equal(readCode(`C${"FGH"[2]}${"A".repeat(126)}`).kind, "card");
});

for (const text of [
  `https://stamps.example/S/${CARD}`,
  `https://STAMPS.EXAMPLE/s/${CARD.toLowerCase()}`,
  `http://localhost:8000/S/${CARD}/`,
  `https://stamps.example/S/${CARD}?utm=1`,
  ` ${CARD}\n`,
  CARD.toLowerCase(),
]) {
  test(`is read: ${text.trim().slice(0, 34)}`, () => {
    assert.deepEqual(readCode(text), { kind: "card", code: CARD });
  });
}

for (const text of ["4KD7QX2", "4kd7 qx2", "4KD7·QX2", "4KD7-QX2"]) {
  test(`seven typed characters are a short code: ${text}`, () => {
    assert.deepEqual(readCode(text), { kind: "short", code: "4KD7QX2" });
  });
}

for (const text of ["", "https://example.com/menu", "4KD7QX", `${CARD}A`, CARD.slice(1), `${CARD.slice(0, 127)}1`]) {
  test(`is no code of ours: ${text.slice(0, 30)} (${text.length})`, () => {
    assert.equal(readCode(text), null);
  });
}
