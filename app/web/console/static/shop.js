// @ts-check
/** The look's page: what is chosen shows at once, on a card like the customers'. */

import { colourOf, inkOn } from "./contrast.js";
import { asSquarePng } from "./logo.js";

/** @template {Element} T @param {string} what @returns {T | null} */
const find = (what) => /** @type {T | null} */ (document.querySelector(what));
const well = /** @type {HTMLInputElement | null} */ (find("[data-colour-well]"));
const typed = /** @type {HTMLInputElement | null} */ (find("[data-colour]"));
const shown = /** @type {HTMLElement | null} */ (find("[data-colour-shown]"));
const name = /** @type {HTMLInputElement | null} */ (find("#name"));
const nameShown = find("[data-name-shown]");
const logo = /** @type {HTMLElement | null} */ (find("[data-logo]"));

/** @param {string} colour */
function show(colour) {
  shown?.style.setProperty("--shop", colour);
  shown?.style.setProperty("--on-shop", inkOn(colour));
}

/**
 * Put the chosen picture where the mark will be; it is sent with the form.
 *
 * @param {HTMLElement} field
 * @param {File} picture
 */
function showLogo(field, picture) {
  const address = URL.createObjectURL(picture);
  for (const mark of document.querySelectorAll("[data-logo] .top__mark, [data-colour-shown] .top__mark")) {
    const image = new Image(36, 36);
    image.alt = "";
    image.src = address;
    mark.classList.add("top__mark--logo");
    mark.replaceChildren(image);
  }
  const none = /** @type {HTMLInputElement | null} */ (field.querySelector('[name="logo_none"]'));
  if (none) none.checked = false;
}

if (well && typed) {
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
  show(colourOf(typed.value) ?? well.value);
}
name?.addEventListener("input", () => {
  if (nameShown) nameShown.textContent = name.value;
});
for (const choice of document.querySelectorAll("[data-outline]")) {
  choice.addEventListener("change", () => {
    // Stamps and empty places lean on this one path.
    const drawn = /** @type {HTMLElement} */ (choice).dataset.outline ?? "";
    document.getElementById("postmark-outline")?.setAttribute("d", drawn);
  });
}

/**
 * @param {HTMLElement} field
 * @param {HTMLInputElement} input - which has a picture
 */
async function takeLogo(field, input) {
  const chosen = input.files?.[0];
  if (!chosen) return;
  const said = field.querySelector("[data-logo-error]");
  if (said) said.textContent = "";
  try {
    const files = new DataTransfer();
    files.items.add(await asSquarePng(chosen));
    input.files = files.files;
    showLogo(field, files.files[0]);
  } catch {
    input.value = "";
    if (said) said.textContent = field.dataset.bad ?? "";
  }
}

const picture = /** @type {HTMLInputElement | null} */ (logo?.querySelector('input[type="file"]'));
if (logo && picture) {
  picture.addEventListener("change", () => void takeLogo(logo, picture));
  // Somebody may have been quicker than this script.
  void takeLogo(logo, picture);
}
