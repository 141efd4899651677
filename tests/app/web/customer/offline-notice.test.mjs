// How old the card is that one sees without a network.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { offlineNotice } from "../../../../app/web/customer/static/last-seen.js";

test("it tells the age, goes on telling it, and goes with the first answer", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const said = { textContent: "" };
  const place = { hidden: true, querySelector: () => said };
  let clock = 0;
  const notice = offlineNotice(place, { sentence: "As it was {age}.", lang: "en", now: () => clock });

  clock = 5 * 60_000;
  notice.show(true);
  assert.equal(place.hidden, false);
  assert.equal(said.textContent, "As it was 5 minutes ago.");

  clock = 6 * 60_000;
  mock.timers.tick(20_000);
  assert.equal(said.textContent, "As it was 6 minutes ago.");

  notice.heard();
  assert.equal(place.hidden, true);
  mock.timers.reset();
});
