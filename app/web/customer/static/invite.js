// @ts-check
/**
 * Hand an invitation to a friend.
 *
 * @module customer/invite
 */

import { share } from "./share.js";

const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
for (const button of document.querySelectorAll("[data-share]")) {
  button.addEventListener("click", () => share(/** @type {HTMLElement} */ (button), texts));
}
