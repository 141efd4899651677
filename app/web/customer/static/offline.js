// @ts-check
/**
 * Without a network: the card as this phone last saw it, with its age, and the page that
 * was asked for as soon as there is a network again.
 */

import { ago, kept } from "./kept.js";

const card = kept();
const box = document.getElementById("kept");
if (card && box) {
  /** @param {string} name @param {string} text */
  const say = (name, text) => {
    const part = box.querySelector(`[data-kept="${name}"]`);
    if (part) part.textContent = text;
  };
  say("title", card.title);
  say("stamps", card.stamps);
  say("required", card.required);
  const age = ago(card.at, Date.now());
  say("age", age && (box.dataset.words ?? "").replace("{age}", age));
  box.hidden = false;
}
globalThis.addEventListener("online", () => location.reload());
document.getElementById("again")?.addEventListener("click", (event) => {
  if (location.pathname === "/offline") return;
  event.preventDefault();
  location.reload();
});
