// @ts-check
/**
 * What every page does when it arrives: the first field that was refused has the
 * cursor, and a toast goes by itself, after long enough to be read, or when tapped.
 */

const READ_MS = 6000;

const refused = document.querySelector("[aria-invalid=true]");
if (refused instanceof HTMLElement) refused.focus();

for (const toast of document.querySelectorAll("[data-toast]")) {
  setTimeout(() => toast.remove(), READ_MS);
  toast.addEventListener("click", () => toast.remove());
}
