// @ts-check
/**
 * Hand scanners that type: they send a code as fast keys and end with Enter.
 *
 * No person types 128 characters without a pause, so only a burst that holds a whole
 * code counts, wherever the focus is. A scanner set to another keyboard mangles
 * "https://", never the letters and digits of the code: its last 128 are taken.
 *
 * @module counter/wedge
 */

const CODE_AT_END = /[A-Z2-7]{128}$/i;
/** A burst ends here, ms: more than a slow radio link or a busy tablet needs. */
const PAUSE_MS = 500;
const LONGEST = 512;

/**
 * @param {(code: string) => void} onCode
 * @returns {(event: { key: string, timeStamp: number, isComposing?: boolean, ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean, preventDefault: () => void }) => boolean}
 *   true when the key was the end of a code and must do nothing else
 */
export function createWedge(onCode) {
  let typed = "";
  let last = 0;
  return (event) => {
    const { key, timeStamp } = event;
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return false;
    if (timeStamp - last > PAUSE_MS) typed = "";
    if (key.length === 1) {
      typed = (typed + key).slice(-LONGEST);
      last = timeStamp;
    } else if (key === "Enter" || key === "Tab") {
      const found = CODE_AT_END.exec(typed);
      typed = "";
      if (!found) return false;
      event.preventDefault();
      onCode(found[0].toUpperCase());
      return true;
    }
    return false;
  };
}

/**
 * @param {EventTarget} page
 * @param {(code: string) => void} onCode
 */
export function listenToWedge(page, onCode) {
  const wedge = createWedge((code) => {
    // The burst also went into whatever had the focus.
    const field = document.activeElement;
    if (field instanceof HTMLInputElement && field.type !== "radio") field.value = "";
    onCode(code);
  });
  page.addEventListener(
    "keydown",
    (event) => {
      const isEnd = wedge(/** @type {KeyboardEvent} */ (event));
      if (isEnd) event.stopImmediatePropagation();
    },
    { capture: true },
  );
}
