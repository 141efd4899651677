// @ts-check
/** The page of an enrolment code: counts down, and changes when a device has used it. */

import { clock } from "./countdown.js";
import { poll } from "./polling.js";

const page = /** @type {HTMLElement} */ (document.getElementById("enrolment"));
const left = /** @type {HTMLElement} */ (document.getElementById("left"));
// The server's seconds and our own steady clock: a device's time of day may be wrong.
const end = performance.now() + Number(page.dataset.seconds) * 1000;

/** @param {string} state */
function show(state) {
  if (page.dataset.state === state) return;
  page.dataset.state = state;
  for (const part of page.querySelectorAll("[data-shown]")) {
    /** @type {HTMLElement} */ (part).hidden =
      /** @type {HTMLElement} */ (part).dataset.shown !== state;
  }
  document.getElementById("main")?.focus();
}

function tick() {
  const seconds = (end - performance.now()) / 1000;
  left.textContent = clock(seconds);
  if (page.dataset.state !== "waiting") return;
  if (seconds <= 0) show("expired");
  else setTimeout(tick, 250);
}

/** @returns {Promise<boolean>} whether to ask again */
async function ask() {
  const response = await fetch(page.dataset.stateUrl ?? "", {
    headers: { Accept: "application/json" },
  });
  if (!response.ok) throw new Error(`the state answered ${response.status}`);
  const found = await response.json();
  if (found.state === "added") {
    for (const [part, text] of [["name", found.name], ["place", found.location_name]]) {
      const where = page.querySelector(`[data-added="${part}"]`);
      if (where) where.textContent = text;
    }
    show("added");
    return false;
  }
  // A device that was in time may be heard of a little late.
  return end + 5000 > performance.now();
}

if (page.dataset.state === "waiting") {
  tick();
  poll({ ask, everyMs: 1500 });
}
