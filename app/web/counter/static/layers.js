// @ts-check
/**
 * The layers over the till: the buttons that open them, the crosses that close them.
 *
 * @module counter/layers
 */

import { part } from "./words.js";

/**
 * @param {ParentNode} page - all of it
 * @param {object} till
 * @param {Record<string, () => unknown>} till.open - by the button's name
 * @param {() => void} till.look - a layer came or went
 */
export function wireLayers(page, { open, look }) {
  for (const [name, act] of Object.entries(open)) {
    part(page, `[data-${name}-open]`).addEventListener("click", () => {
      void act();
      look();
    });
  }
  for (const layer of page.querySelectorAll("dialog")) {
    layer.addEventListener("close", () => look());
    for (const button of layer.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => layer.close());
    }
  }
}
