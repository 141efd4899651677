// Hand scanners type; people do not type like that.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createWedge } from "../../../../app/web/counter/static/wedge.js";

const CODE = "CE".padEnd(128, "A7");

/** Type keys, this many ms apart; gives what was heard and how the last key ended. */
function type(keys, every, more = {}) {
  const heard = [];
  const wedge = createWedge((code) => heard.push(code));
  let prevented = 0;
  let at = 1000;
  let isEnd = false;
  for (const key of keys) {
    at += every;
    isEnd = wedge({ key, timeStamp: at, preventDefault: () => (prevented += 1), ...more });
  }
  return { heard, isEnd, prevented };
}

test("128 fast keys and Enter are a code, and Enter does nothing else", () => {
  const { heard, isEnd, prevented } = type([...CODE, "Enter"], 4);

  assert.deepEqual([heard, isEnd, prevented], [[CODE], true, 1]);
});

test("a whole link is its code", () => {
  assert.deepEqual(type([..."https://stamps.example/S/", ...CODE, "Enter"], 4).heard, [CODE]);
});

test("a scanner with another keyboard mangles the link, not the code", () => {
  assert.deepEqual(type([..."httpsÖ--stamps.example-S-", ...CODE, "Enter"], 4).heard, [CODE]);
});

test("a scanner with caps lock the wrong way round is read", () => {
  assert.deepEqual(type([...CODE.toLowerCase(), "Enter"], 4).heard, [CODE]);
});

test("the Shift keys between the letters do not matter", () => {
  assert.deepEqual(type([...[...CODE].flatMap((key) => ["Shift", key]), "Enter"], 2).heard, [CODE]);
});

test("a scanner that ends with Tab is heard too", () => {
  assert.deepEqual(type([...CODE, "Tab"], 4).heard, [CODE]);
});

test("a person's Enter stays a person's Enter", () => {
  const { heard, isEnd, prevented } = type([..."4KD7QX2", "Enter"], 150);

  assert.deepEqual([heard, isEnd, prevented], [[], false, 0]);
});

test("a code with a person's pauses in it is no burst", () => {
  assert.deepEqual(type([...CODE, "Enter"], 600).heard, []);
});

test("a shortcut is no text", () => {
  assert.deepEqual(type([...CODE, "Enter"], 4, { ctrlKey: true }).heard, []);
});

test("a second code follows the first", () => {
  assert.deepEqual(type([...CODE, "Enter", ...CODE, "Enter"], 4).heard, [CODE, CODE]);
});
