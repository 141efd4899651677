// @ts-check
/** The shop's page: the well and the text are one colour, and the picture shows it. */

import { colourOf, inkOn } from "./contrast.js";

const well = /** @type {HTMLInputElement} */ (document.querySelector("[data-colour-well]"));
const typed = /** @type {HTMLInputElement} */ (document.querySelector("[data-colour]"));
const shown = /** @type {HTMLElement} */ (document.querySelector("[data-colour-shown]"));
const name = /** @type {HTMLInputElement} */ (document.getElementById("name"));
const nameShown = /** @type {HTMLElement} */ (document.querySelector("[data-name-shown]"));

/** @param {string} colour */
function show(colour) {
  shown.style.setProperty("--shop", colour);
  shown.style.setProperty("--on-shop", inkOn(colour));
}

well.addEventListener("input", () => {
  typed.value = well.value;
  show(well.value);
});
typed.addEventListener("input", () => {
  const colour = colourOf(typed.value);
  if (!colour) return;
  well.value = colour;
  show(colour);
});
name.addEventListener("input", () => {
  nameShown.textContent = name.value;
});
show(colourOf(typed.value) ?? well.value);
