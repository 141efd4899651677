// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { newsFrom } from "../../../../app/web/console/static/feed.js";

/** @param {object[]} answers */
function server(answers) {
  /** @type {{ url: string, headers: Record<string, string> }[]} */
  const asked = [];
  /** @type {any} */
  const fetch = async (/** @type {string} */ url, /** @type {any} */ options) => {
    asked.push({ url, headers: options.headers });
    const { status = 200, tag = '"1"', body = {} } = /** @type {any} */ (answers.shift());
    return {
      status,
      ok: status === 200,
      headers: new Headers({ ETag: tag }),
      json: async () => body,
    };
  };
  return { asked, fetch };
}

const line = (/** @type {string} */ id) => ({ id, html: `<li>${id}</li>` });

test("lines that the page has are left out, new ones come once", async () => {
  const { fetch } = server([
    { body: { after: "t1", figures: {}, places: {}, lines: [line("e2"), line("e1")] } },
    { body: { after: "t1", figures: {}, places: {}, lines: [line("e2"), line("e1")] } },
  ]);
  const ask = newsFrom({ url: "/feed", after: "t0", known: ["e1"] }, { fetch });

  const first = await ask();
  const second = await ask();

  assert.deepEqual(first?.lines, [line("e2")]);
  assert.deepEqual(second?.lines, []);
});

test("the next question starts at the newest moment and names what it has", async () => {
  const { asked, fetch } = server([
    { tag: '"a"', body: { after: "2026-11-22T10:00:00+00:00", lines: [] } },
    { status: 304 },
  ]);
  const ask = newsFrom({ url: "/feed?place=1", after: "t0", known: [] }, { fetch });

  await ask();
  const nothing = await ask();

  assert.equal(nothing, null);
  assert.equal(asked[1].url, "/feed?place=1&after=2026-11-22T10%3A00%3A00%2B00%3A00");
  assert.equal(asked[1].headers["If-None-Match"], '"a"');
});

test("an answer that is no news is a fault", async () => {
  const { fetch } = server([{ status: 503 }]);
  const ask = newsFrom({ url: "/feed", after: "t0", known: [] }, { fetch });

  await assert.rejects(ask, /503/);
});
