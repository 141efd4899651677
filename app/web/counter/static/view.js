// @ts-check
/**
 * The viewfinder: puts the scanner's states into words and offers the way on, and keeps
 * the lens and the light of this device.
 *
 * @module counter/view
 *
 * @typedef {import("/static/shared/scanner/scanner.js").Scanner} Scanner
 * @typedef {import("/static/shared/scanner/scanner.js").State} State
 */

import { part } from "./words.js";

const LENS_KEY = "punchproof-lens";

/**
 * @param {HTMLElement} root - the template's viewfinder
 * @param {object} page
 * @param {typeof import("/static/shared/scanner/scanner.js").startScanner} page.startScanner
 * @param {any} page.texts - of the scanner, by state
 * @param {string} [page.held] - while a phone that was served stays in the picture
 * @param {(text: string) => void} page.onText
 * @returns {Promise<Scanner>}
 */
export async function createView(root, { startScanner, texts, held, onText }) {
  const video = /** @type {HTMLVideoElement} */ (part(root, "[data-video]"));
  const trouble = part(root, "[data-trouble]");
  const again = part(root, "[data-trouble-again]");
  const prompt = part(root, "[data-prompt]");
  const lens = /** @type {HTMLButtonElement | null} */ (
    root.querySelector("[data-lens]")
  );
  const light = /** @type {HTMLButtonElement | null} */ (
    root.querySelector("[data-light]")
  );
  const scanWords = prompt.textContent ?? "";
  /** @type {Scanner | null} */
  let scanner = null;
  let isLit = false;

  /** @param {State} state */
  function onState(state) {
    root.dataset.state = state;
    const words = texts[state];
    const isTrouble = Boolean(words) && state !== "starting";
    trouble.hidden = !isTrouble;
    prompt.textContent = state === "held" ? (held ?? scanWords) : scanWords;
    if (state === "starting") prompt.textContent = words.title;
    prompt.hidden = isTrouble;
    if (isTrouble) {
      part(root, "[data-trouble-title]").textContent = words.title;
      part(root, "[data-trouble-text]").textContent = words.text;
      again.textContent = words.again ?? "";
      again.hidden = !words.again;
    }
    if (state === "scanning") void offerLenses();
  }

  async function offerLenses() {
    const cameras = (await scanner?.cameras()) ?? [];
    if (lens) lens.hidden = cameras.length < 2;
    isLit = false;
    light?.setAttribute("aria-pressed", "false");
    if (light) light.hidden = !scanner?.canTorch();
  }

  again.addEventListener("click", () => {
    if (root.dataset.state === "failed") location.reload();
    else void scanner?.retry();
  });
  lens?.addEventListener("click", async () => {
    const cameras = (await scanner?.cameras()) ?? [];
    const at = cameras.findIndex(({ deviceId }) => deviceId === scanner?.camera());
    const next = cameras[(at + 1) % cameras.length];
    if (!next) return;
    localStorage.setItem(LENS_KEY, next.deviceId);
    await scanner?.use(next.deviceId);
  });
  light?.addEventListener("click", async () => {
    if (await scanner?.torch(!isLit)) isLit = !isLit;
    light.setAttribute("aria-pressed", String(isLit));
  });

  scanner = await startScanner({
    video,
    onText,
    onState,
    deviceId: localStorage.getItem(LENS_KEY),
  });
  await offerLenses();
  return scanner;
}
