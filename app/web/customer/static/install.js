// @ts-check
/**
 * Offer the home screen, once there is something to keep: from the second stamp on,
 * and never again after "not now".
 *
 * @module customer/install
 */

const ASKED = "punchproof-install";

/**
 * The way to the home screen in this browser.
 *
 * @param {string} agent - the user agent's own words
 * @param {number} fingers - that the screen can tell apart: an iPad calls itself a Mac
 * @returns {"safari" | "ios" | "menu" | "prompt"} Share below, Share above, the menu, or
 *   the browser's own question
 */
export function wayOf(agent, fingers) {
  if (/iP(hone|ad|od)/.test(agent) || (/Macintosh/.test(agent) && fingers > 1)) {
    return /CriOS|FxiOS|EdgiOS/.test(agent) ? "ios" : "safari";
  }
  return /Android/.test(agent) && /Firefox|SamsungBrowser/.test(agent) ? "menu" : "prompt";
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} face
 */
export function offerInstall(box, face) {
  const standalone = matchMedia("(display-mode: standalone)").matches;
  const way = wayOf(navigator.userAgent, navigator.maxTouchPoints);
  if (standalone || asked() || face.querySelectorAll(".postmark").length < 2) return;
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (box.querySelector(name));

  part('[data-do="later"]').addEventListener("click", () => {
    box.hidden = true;
    remember();
  });
  if (way !== "prompt") {
    part(`[data-how="${way}"]`).hidden = false;
    box.hidden = false;
    return;
  }
  globalThis.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    part('[data-how="prompt"]').hidden = false;
    const button = part('[data-do="install"]');
    button.hidden = false;
    box.hidden = false;
    button.addEventListener("click", () => {
      /** @type {any} */ (event).prompt();
      box.hidden = true;
      remember();
    }, { once: true });
  });
}

function asked() {
  try {
    return localStorage.getItem(ASKED) !== null;
  } catch {
    return true; // storage is forbidden: better never than at each visit
  }
}

function remember() {
  try {
    localStorage.setItem(ASKED, "1");
  } catch {
    // It will ask again next time.
  }
}
