// @ts-check
/**
 * A PIN pad: big keys, a real password field under them, so that a keyboard and a
 * screen reader work too. Dots show how many digits were typed, never which.
 *
 * @module counter/pin-pad
 */

import { part, say as write } from "./words.js";

const LEAST = 4;
const MOST = 8;

/**
 * @param {HTMLElement} form
 * @param {object} page
 * @param {any} page.texts
 * @param {(pin: string) => void} page.onPin
 * @param {() => void} page.onBack
 */
export function createPinPad(form, { texts, onPin, onBack }) {
  const field = /** @type {HTMLInputElement} */ (part(form, "input"));
  const error = part(form, "[data-error]");
  const dots = part(form, "[data-dots]");
  const submit = /** @type {HTMLButtonElement} */ (part(form, "[data-submit]"));
  const keys = /** @type {NodeListOf<HTMLButtonElement>} */ (
    form.querySelectorAll("[data-digit], [data-erase]")
  );
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let waiting;

  function draw() {
    const typed = field.value.length;
    dots.replaceChildren(
      ...Array.from({ length: Math.max(typed, LEAST) }, (_, place) => {
        const dot = document.createElement("i");
        dot.className = place < typed ? "pin__dot pin__dot--full" : "pin__dot";
        return dot;
      }),
    );
    part(form, "[data-typed]").textContent = texts.typed[typed] ?? "";
  }

  /** @param {string} value */
  function set(value) {
    field.value = value.replace(/\D/g, "").slice(0, MOST);
    if (field.value) say("");
    draw();
  }

  /** @param {string} words @param {boolean} [isError] - else why somebody is asked */
  function say(words, isError = true) {
    error.classList.toggle("pin__error--why", !isError);
    write(error, words);
  }

  /** @param {boolean} isOff */
  function lock(isOff) {
    field.readOnly = isOff;
    submit.disabled = isOff;
    for (const key of keys) key.disabled = isOff;
  }

  function clear() {
    field.value = "";
    draw();
  }

  field.addEventListener("input", () => set(field.value));
  form.addEventListener("click", ({ target }) => {
    const key = target instanceof Element ? target.closest("button") : null;
    if (key?.dataset.digit) set(field.value + key.dataset.digit);
    if (key?.dataset.erase !== undefined) set(field.value.slice(0, -1));
    if (key?.dataset.back !== undefined) onBack();
  });
  // A digit typed while a key has the focus goes where it belongs.
  form.addEventListener("keydown", (event) => {
    if (event.target === field || field.readOnly || !/^\d$/.test(event.key)) return;
    set(field.value + event.key);
    field.focus();
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.readOnly) return;
    if (field.value.length < LEAST) say(texts.short);
    else onPin(field.value);
  });

  return {
    /** @param {string} title @param {string} words */
    show(title, words) {
      write(part(form, "[data-name]"), title);
      form.hidden = false;
      clear();
      // Another person need not wait for this one; the server remembers who must.
      clearInterval(waiting);
      lock(false);
      say(words, false);
      field.focus();
    },
    hide() {
      form.hidden = true;
      clear();
    },
    clear,
    /** @param {boolean} isBusy */
    busy(isBusy) {
      lock(isBusy);
      submit.setAttribute("aria-busy", String(isBusy));
    },
    /** @param {string} words */
    refuse(words) {
      clear();
      say(words);
      field.focus();
    },
    /**
     * @param {number} seconds - until the next try
     * @param {(left: number) => string} words
     */
    wait(seconds, words) {
      clear();
      lock(true);
      clearInterval(waiting);
      const end = Date.now() + seconds * 1000;
      let said = "";
      const tick = () => {
        const left = Math.ceil((end - Date.now()) / 1000);
        const next = left > 0 ? words(left) : "";
        if (next !== said) say(next); // an alert speaks at each change
        said = next;
        if (left > 0) return;
        clearInterval(waiting);
        lock(false);
        field.focus();
      };
      waiting = setInterval(tick, 1000);
      tick();
    },
  };
}
