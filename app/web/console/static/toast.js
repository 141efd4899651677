// @ts-check
/** A toast goes by itself, after long enough to be read, or when it is tapped. */

const READ_MS = 6000;

for (const toast of document.querySelectorAll("[data-toast]")) {
  setTimeout(() => toast.remove(), READ_MS);
  toast.addEventListener("click", () => toast.remove());
}
