// @ts-check
/**
 * Without a network: show the card as it was, with its age, and come back to the page
 * that was asked for as soon as the service answers again. It is asked with growing
 * waits, since a phone with a bad network believes that it has one and says no more.
 *
 * @module customer/offline
 */

import { howOld, lastSeen } from "./last-seen.js";
import { usable } from "./usable.js";

const FIRST_MS = 2_000;
const LONGEST_MS = 15_000;

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

let wait = FIRST_MS;
/** @type {ReturnType<typeof setTimeout>} */
let timer;

async function comeBack() {
  clearTimeout(timer);
  try {
    const answer = await fetch("/livez", { cache: "no-store" });
    if (answer.ok) return location.reload();
  } catch {
    // Not yet.
  }
  timer = setTimeout(comeBack, document.hidden ? LONGEST_MS : wait);
  wait = Math.min(wait * 2, LONGEST_MS);
}

// Asked for by its own name, this page is the one that was wanted.
if (location.pathname !== "/offline") {
  globalThis.addEventListener("online", comeBack);
  timer = setTimeout(comeBack, wait);
}
