// A code is said once while it stays in the picture.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createRepeats } from "../../../../app/web/shared/static/scanner/repeats.js";

/** Show pictures 100 ms apart; "." is an empty one. Gives what was news. */
function watch(repeats, film, from = 0) {
  return [...film].filter((text, index) =>
    repeats.isNews(text === "." ? null : text, from + index * 100),
  );
}

test("a code that stays is said once", () => {
  assert.deepEqual(watch(createRepeats(), "aaaaaaaaaaaaaaaaaaaaaaaa"), ["a"]);
});

test("a code that flickers is said once", () => {
  assert.deepEqual(watch(createRepeats(), "aa...a.....aa......a"), ["a"]);
});

test("a code that was away for a second and a half is said again", () => {
  assert.deepEqual(watch(createRepeats(), "a..............a"), ["a", "a"]);
});

test("two codes side by side do not take turns", () => {
  assert.deepEqual(watch(createRepeats(), "ababababababababababab"), ["a", "b"]);
});

test("after forget the same code is news at once", () => {
  const repeats = createRepeats();
  watch(repeats, "aaa");
  repeats.forget();

  assert.deepEqual(watch(repeats, "a", 300), ["a"]);
});

test("time that nobody looked does not count as gone", () => {
  const repeats = createRepeats();
  watch(repeats, "aaa");
  repeats.skip(3000);

  assert.deepEqual(watch(repeats, "aaa", 3300), []);
});

test("after hold a phone's next code is no news while the phone stays", () => {
  const repeats = createRepeats();
  watch(repeats, "aaa");
  repeats.hold();

  assert.deepEqual(watch(repeats, "aabbbbb.bbb..b", 300), []);
  assert.equal(repeats.isHeld(), true);
});

test("after hold the next phone is news once the picture was empty", () => {
  const repeats = createRepeats();
  watch(repeats, "aaa");
  repeats.hold();

  assert.deepEqual(watch(repeats, "aaa.......c", 300), ["c"]);
});

test("who held theirs up too early is scanned while they hold it up again", () => {
  const repeats = createRepeats();
  watch(repeats, "aaa");
  repeats.hold();

  // c at 400 and 500 ms, away for 800, and held up from then on
  const news = [..."acc........cccccccccccc"].map((text, index) =>
    repeats.isNews(text === "." ? null : text, 300 + index * 100),
  );

  assert.equal(news.filter(Boolean).length, 1);
  // 1.5 s after it was last seen too early
  assert.equal(news.indexOf(true), 17);
});
