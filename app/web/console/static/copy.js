// @ts-check
/** Buttons that copy a text: `data-copy` names its element, `data-said` is the answer. */

const SAID_MS = 2000;

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(/** @type {HTMLElement} */ (button)));
}

/** @param {HTMLElement} button */
async function copy(button) {
  const from = document.getElementById(button.dataset.copy ?? "");
  const word = button.querySelector("span");
  if (!from || !word || button.dataset.busy) return;
  try {
    await navigator.clipboard.writeText(from.textContent ?? "");
  } catch {
    // No right to the clipboard: mark the text, so that the person can copy it.
    getSelection()?.selectAllChildren(from);
    return;
  }
  const before = word.textContent;
  button.dataset.busy = "1";
  word.textContent = button.dataset.said ?? "";
  setTimeout(() => {
    word.textContent = before;
    delete button.dataset.busy;
  }, SAID_MS);
}
