// @ts-check
/**
 * The white layer with a code on it: picture, ring, typed code, trouble.
 *
 * It draws what the renewal says and nothing else. Opening and closing follow the
 * address (#code, #voucher-<id>), so that the phone's back button closes it.
 *
 * @module customer/layer
 */

/** Circumference of the ring's circle (r = 20). */
const AROUND = 2 * Math.PI * 20;

/**
 * @param {HTMLDialogElement} dialog
 */
export function codeLayer(dialog) {
  const part = (/** @type {string} */ name) =>
    /** @type {HTMLElement} */ (dialog.querySelector(`[data-part="${name}"]`));
  const picture = part("picture");
  const ring = /** @type {SVGCircleElement} */ (/** @type {unknown} */ (part("ring")));
  /** @type {string | null} */
  let drawn = null;

  return {
    /** @param {{ title: string, about: string }} words */
    open({ title, about }) {
      part("title").textContent = title;
      part("about").textContent = about;
      if (!dialog.open) dialog.showModal();
    },
    close() {
      if (dialog.open) dialog.close();
    },
    /** @param {import("./renewal.js").Shown} shown */
    show({ code, left, part: rest, trouble, final }) {
      dialog.dataset.state = code ? "shown" : trouble ? "none" : "loading";
      if (drawn !== (code?.code ?? null)) {
        drawn = code?.code ?? null;
        // The picture is our own server's SVG; the old one goes before a new one comes.
        picture.innerHTML = code?.picture ?? "";
        part("short").textContent = inGroups(code?.short);
        part("short").setAttribute("aria-label", spelled(code?.short));
        part("spoken").hidden = !code?.short;
      }
      ring.style.strokeDasharray = String(AROUND);
      ring.style.strokeDashoffset = String(AROUND * (1 - rest));
      part("left").textContent = String(left);
      part("count").hidden = !code;
      part("trouble").hidden = !trouble;
      part("trouble-text").textContent = trouble ?? "";
      part("next").hidden = final;
    },
  };
}

/** Characters of the first group: "4KD7QX2" is "4KD7 · QX2". */
const HEAD = 4;

/**
 * A typed code as people read it out.
 *
 * @param {string | null | undefined} code - seven characters, or nothing
 * @returns {string} the code in two groups, or "" when there is none
 */
export function inGroups(code) {
  const plain = (code ?? "").replace(/[^0-9a-z]/gi, "").toUpperCase();
  if (plain.length <= HEAD) return plain;
  return `${plain.slice(0, HEAD)} · ${plain.slice(HEAD)}`;
}

/**
 * What a screen reader says: each character by itself, or it makes words of them.
 *
 * @param {string | null | undefined} code
 * @returns {string}
 */
export function spelled(code) {
  return inGroups(code).replace(/ · /, "").split("").join(" ");
}
