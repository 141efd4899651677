// @ts-check
/** The page of all parts: theme, a falling stamp, the drawer. */
const main = document.getElementById("main");
for (const choice of document.querySelectorAll("[data-theme]")) {
  choice.addEventListener("change", () => {
    document.documentElement.classList.remove("theme-light", "theme-dark");
    const chosen = /** @type {HTMLInputElement} */ (choice).value;
    if (chosen) document.documentElement.classList.add(chosen);
  });
}
const falls = document.querySelector("[data-falls]");
document.querySelector("[data-fall]")?.addEventListener("click", () => {
  falls?.classList.remove("place--new");
  // A class that goes and comes within one frame starts nothing.
  requestAnimationFrame(() => requestAnimationFrame(() => falls?.classList.add("place--new")));
});
const drawer = /** @type {HTMLDialogElement | null} */ (document.getElementById("kit-drawer"));
main?.querySelector("[data-opens-drawer]")?.addEventListener("click", () => drawer?.showModal());
