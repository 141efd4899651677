// @ts-check
/**
 * Without a network: show the card as it was, with its age, and come back to the page
 * that was asked for as soon as there is a network.
 *
 * @module customer/offline
 */

import { howOld, lastSeen } from "./last-seen.js";
import { usable } from "./usable.js";

globalThis.addEventListener("online", () => location.reload());
document.getElementById("again")?.addEventListener("click", (event) => {
  if (location.pathname === "/offline") return;
  event.preventDefault();
  location.reload();
});

const place = document.getElementById("last");
const seen = lastSeen(localStorage);

if (place && seen) {
  const write = (/** @type {string} */ part, /** @type {string | number} */ words) => {
    const spot = place.querySelector(`[data-last="${part}"]`);
    if (spot) spot.textContent = String(words);
  };
  write("programme", seen.programme);
  write("stamps", seen.stamps);
  write("required", seen.required);
  write("number", seen.number);
  const rewards = place.querySelector("[data-last=vouchers]");
  const age = () => {
    // Each time anew: one may end while the page stands open.
    rewards?.replaceChildren(
      ...usable(seen, Date.now()).map(({ reward, until }) => {
        const item = document.createElement("li");
        item.append(Object.assign(document.createElement("bdi"), { textContent: reward }));
        if (until) item.append(" ", Object.assign(document.createElement("small"), { textContent: until }));
        return item;
      }),
    );
    const old = howOld(seen.at, Date.now(), document.documentElement.lang);
    write("age", (place.dataset.words ?? "").replace("{age}", old));
  };
  age();
  setInterval(age, 30_000);
  place.hidden = false;
}
