// @ts-check
/**
 * Without a network: show the card as it was, with its age, and come back to the page
 * that was asked for as soon as there is a network.
 *
 * @module customer/offline
 */

import { howOld, lastSeen } from "./last-seen.js";

globalThis.addEventListener("online", () => location.reload());
document.getElementById("again")?.addEventListener("click", (event) => {
  if (location.pathname === "/offline") return;
  event.preventDefault();
  location.reload();
});

/** The browser may say "online" before anything gets through: ask until something does. */
const WAITS_MS = [2_000, 4_000, 8_000, 15_000];
function comeBack(turn = 0) {
  setTimeout(async () => {
    const answer = await fetch("/livez", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) location.reload();
    else comeBack(turn + 1);
  }, WAITS_MS[Math.min(turn, WAITS_MS.length - 1)]);
}
if (location.pathname !== "/offline") comeBack();

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
  rewards?.replaceChildren(
    ...seen.vouchers.map((reward) => {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("bdi"), { textContent: reward }));
      return item;
    }),
  );
  const age = () => {
    const old = howOld(seen.at, Date.now(), document.documentElement.lang);
    write("age", (place.dataset.words ?? "").replace("{age}", old));
  };
  age();
  setInterval(age, 30_000);
  place.hidden = false;
}
