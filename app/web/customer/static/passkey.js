// @ts-check
/**
 * Makes a passkey, or signs in with one. Nothing is shown where the browser knows none.
 *
 * @module customer/passkey
 */

import { call } from "/static/shared/api.js";
import { use } from "./passkey-way.js";

/** @param {HTMLElement} place */
function prepare(place) {
  const name = /** @type {"add" | "sign-in"} */ (place.dataset.passkey);
  const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
  const button = /** @type {HTMLButtonElement} */ (place.querySelector("button"));
  const notice = /** @type {HTMLElement} */ (place.querySelector("[role=alert]"));
  const world = { call, credentials: navigator.credentials, go: (/** @type {string} */ path) => location.assign(path) };
  place.hidden = false;
  document.querySelector("[data-no-passkeys]")?.setAttribute("hidden", "");
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    notice.hidden = true;
    const said = await use(name, texts, world);
    button.removeAttribute("aria-busy");
    if (!said) return;
    /** @type {HTMLElement} */ (notice.querySelector("span")).textContent = said;
    notice.hidden = false;
  });
}

if (globalThis.document && "PublicKeyCredential" in globalThis && navigator.credentials) {
  for (const place of document.querySelectorAll("[data-passkey]")) prepare(/** @type {HTMLElement} */ (place));
}
