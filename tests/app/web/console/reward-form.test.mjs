// The form of a reward shows what its kind needs; the newest preview is the one shown.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { watchReward } from "../../../../app/web/console/static/reward-form.js";

globalThis.FormData = /** @type {any} */ (class {});

/** @type {any} */
let form;
/** @type {any} */
let place;
/** @type {((answer: any) => void)[]} */
let answers;
/** @type {(() => void)[]} */
let waiting;

/** @param {string} kinds */
const part = (kinds) => ({ hidden: false, getAttribute: () => kinds });

beforeEach(() => {
  form = Object.assign(new EventTarget(), {
    dataset: { preview: "/preview" },
    kind: { value: "item" },
    parts: [part("percent money"), part("event"), part("item event")],
    elements: { namedItem: () => form.kind },
    querySelectorAll: () => form.parts,
  });
  place = { innerHTML: "" };
  answers = [];
  waiting = [];
});

function watch() {
  return watchReward(form, place, {
    fetch: /** @type {any} */ (() => new Promise((settle) => answers.push(settle))),
    wait: (go) => waiting.push(go),
    stop: (id) => {
      if (id) waiting[id - 1] = () => {};
    },
  });
}

const page = (/** @type {string} */ text) => ({ status: 200, text: async () => text });
const hidden = () => form.parts.map((/** @type {any} */ each) => each.hidden);

test("what a kind does not need is hidden, at once and when it changes", () => {
  watch();
  assert.deepEqual(hidden(), [true, true, false]);
  form.kind.value = "event";
  form.dispatchEvent(new Event("input"));
  assert.deepEqual(hidden(), [true, false, false]);
});

test("of many strokes one asks", () => {
  watch();
  for (let times = 0; times < 5; times += 1) form.dispatchEvent(new Event("input"));
  for (const go of waiting) go();
  assert.equal(answers.length, 1);
});

test("an older preview never covers a newer one", async () => {
  const { preview } = watch();
  const older = preview();
  const newer = preview();
  answers[1](page("new"));
  await newer;
  answers[0](page("old"));
  await older;
  assert.equal(place.innerHTML, "new");
});

test("what is no preview changes nothing", async () => {
  place.innerHTML = "as it was";
  const { preview } = watch();
  const asked = preview();
  answers[0]({ status: 204, text: async () => "" });
  await asked;
  assert.equal(place.innerHTML, "as it was");
});
