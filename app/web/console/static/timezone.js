// @ts-check
/** The time zone of a shop that has told none yet: this browser's, if it is on the list. */
const choice = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-timezone]"));
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (choice?.dataset.timezone === "UTC" && [...choice.options].some((each) => each.value === here)) {
  choice.value = here;
}
