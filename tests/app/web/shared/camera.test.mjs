// What a browser throws, as a state that the page has words for.
import assert from "node:assert/strict";
import { test } from "node:test";

import { troubleOf } from "../../../../app/web/shared/static/scanner/lens.js";

for (const [name, trouble] of [
  ["NotAllowedError", "denied"],
  ["SecurityError", "denied"],
  ["NotFoundError", "none"],
  ["NotReadableError", "busy"],
  ["AbortError", "busy"],
  ["SomethingNewError", "lost"],
]) {
  test(`${name} is ${trouble}`, () => {
    assert.equal(troubleOf(name), trouble);
  });
}
