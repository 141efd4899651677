// @ts-check
/**
 * Training on the screen: its switch in the menu, and a band that nobody overlooks.
 *
 * @module counter/training-switch
 */

import { createTraining, leftIn } from "./training.js";
import { part } from "./words.js";

/**
 * @param {HTMLElement} root - the till
 * @param {object} page
 * @param {any} page.texts - of training
 * @param {(words: string) => void} page.toast
 * @param {() => boolean} page.isFree - no real scan waits for its answer
 * @param {HTMLElement} page.inMenu - the button that begins it
 * @param {() => void} page.closeMenu
 */
export function createTrainingSwitch(root, { texts, toast, isFree, inMenu, closeMenu }) {
  const band = part(root, "[data-training]");

  const training = createTraining({
    storage: sessionStorage,
    onChange(minutes) {
      band.hidden = minutes === 0;
      inMenu.hidden = minutes > 0;
      root.classList.toggle("till--training", minutes > 0);
      part(band, "[data-left]").textContent = leftIn(minutes, texts);
      if (minutes === 0) toast(texts.over);
    },
  });

  inMenu.addEventListener("click", () => {
    closeMenu();
    // What is real must get its answer first: in training nothing leaves the device.
    if (isFree()) training.start();
    else toast(texts.wait);
  });
  part(band, "[data-end]").addEventListener("click", () => training.stop());
  training.begin();
  return training;
}
