// Sentences, times and lists.
import assert from "node:assert/strict";
import { test } from "node:test";

import { withLine, withUndone } from "../../../../app/web/counter/static/latest.js";
import { endOf } from "../../../../app/web/counter/static/show.js";
import { grouped } from "../../../../app/web/counter/static/typed.js";
import { clock, fill, howLong } from "../../../../app/web/counter/static/words.js";

test("a name is isolated from the sentence round it, a number is not", () => {
  assert.equal(fill("{n} for {name}", { n: 2, name: "נועה" }), "2 for \u2068נועה\u2069");
});

test("a placeholder that nobody fills stays visible", () => {
  assert.equal(fill("{n} for {name}", { n: 2 }), "2 for {name}");
});

test("a name that looks like a placeholder is only a name", () => {
  assert.equal(fill("{name} {n}", { name: "{n}", n: 1 }), "\u2068{n}\u2069 1");
});

test("a time today has no date, another day's has", () => {
  const at = new Date(2026, 10, 18, 8, 12);

  assert.equal(clock(at, new Date(2026, 10, 18, 9, 0), "en-GB"), "08:12");
  assert.match(clock(at, new Date(2026, 10, 22, 9, 0), "en-GB"), /18 Nov.*08:12/);
});

for (const [seconds, words] of [
  [1, "1 second"],
  [59, "59 seconds"],
  [61, "2 minutes"],
  [900, "15 minutes"],
  [7200, "2 hours"],
]) {
  test(`${seconds} s is said as ${words}`, () => {
    assert.equal(howLong(seconds, "en"), words);
  });
}

for (const [typed, shown] of [
  ["4kd", "4KD"],
  ["4kd7", "4KD7"],
  ["4kd7q", "4KD7 Q"],
  ["4KD7·QX2", "4KD7 QX2"],
  ["https://stamps.example/S/CE", "https://stamps.example/S/CE"],
]) {
  test(`"${typed}" is shown as "${shown}"`, () => {
    assert.equal(grouped(typed), shown);
  });
}

test("the list keeps five, newest first, each once", () => {
  const lines = ["a", "b", "c", "d", "e", "f", "b"].reduce(
    (all, id) => withLine(all, { id }),
    [],
  );

  assert.deepEqual(lines.map(({ id }) => id), ["b", "f", "e", "d", "c"]);
});

test("an undone line stays, marked", () => {
  const lines = withUndone([{ id: "a" }, { id: "b" }], "b");

  assert.deepEqual(lines, [{ id: "a" }, { id: "b", isUndone: true }]);
});

test("a code ends when the server says, by a clock that is right", () => {
  assert.equal(endOf("2026-11-22T08:02:00+00:00", Date.UTC(2026, 10, 22, 8, 0)), Date.UTC(2026, 10, 22, 8, 2));
});

for (const hour of [6, 10]) {
  test(`a till whose clock is wrong (${hour}:00) gives the code its whole life`, () => {
    const now = Date.UTC(2026, 10, 22, hour);

    assert.equal(endOf("2026-11-22T08:02:00+00:00", now), now + 120_000);
  });
}
