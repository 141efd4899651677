// @ts-check
/**
 * The switch of the card's sound; what was chosen is kept on this phone.
 *
 * @module customer/quiet
 */

const KEY = "punchproof-sound";

/**
 * @param {HTMLElement} button - pressed while there is sound
 * @param {Record<string, string>} texts - sound_on, sound_off
 * @returns {() => boolean} whether there is sound
 */
export function soundSwitch(button, texts) {
  let loud = read();
  const show = () => {
    button.setAttribute("aria-pressed", String(loud));
    part("on").hidden = !loud;
    part("off").hidden = loud;
    part("word").textContent = loud ? texts.sound_on : texts.sound_off;
  };
  const part = (/** @type {string} */ name) =>
    /** @type {HTMLElement} */ (button.querySelector(`[data-${name}]`));
  button.addEventListener("click", () => {
    loud = !loud;
    write(loud);
    show();
  });
  show();
  return () => loud;
}

function read() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} loud */
function write(loud) {
  try {
    localStorage.setItem(KEY, loud ? "on" : "off");
  } catch {
    // It holds until the page is closed.
  }
}
