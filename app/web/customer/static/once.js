// @ts-check
/**
 * A form that makes or collects something goes out once, however often it is tapped.
 *
 * @module customer/once
 */

for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector('button[type="submit"]');
  form.addEventListener("submit", (event) => {
    if (button?.getAttribute("aria-busy") === "true") return event.preventDefault();
    button?.setAttribute("aria-busy", "true");
  });
  // Back from the next page, out of the browser's memory: the button works again.
  globalThis.addEventListener("pageshow", () => button?.removeAttribute("aria-busy"));
}
