// @ts-check
/**
 * The code that is shown, if any: `#code` and `#voucher-<id>` in the address open the
 * layer, the phone's back button closes it.
 *
 * @module customer/shown-code
 */

import { keyOf } from "/static/shared/code-key.js";
import { issuer } from "./issue.js";
import { codeLayer } from "./layer.js";
import { renewal } from "./renewal.js";

const VOUCHER = /^#voucher-([0-9a-f-]{36})$/;

/**
 * @param {object} page
 * @param {HTMLElement} page.face - has the links that open it
 * @param {HTMLDialogElement} page.dialog
 * @param {string} page.cardId
 * @param {Record<string, string>} page.texts
 * @param {typeof import("/static/shared/api.js").call} page.call
 * @param {import("./renewal.js").Clock} page.clock
 * @param {() => () => void} page.keepAwake - gives what lets the screen sleep again
 * @param {() => string} page.about - the name and the count, for the barista
 * @param {() => void} page.onFollow - it was opened or closed
 */
export function shownCode({ face, dialog, cardId, texts, call, clock, keepAwake, about, onFollow }) {
  const layer = codeLayer(dialog);
  /** One renewal for each thing that can be shown. @type {Map<string, ReturnType<typeof renewal>>} */
  const renewals = new Map();
  /** @type {ReturnType<typeof renewal> | null} */
  let open = null;
  let letSleep = () => {};
  /** Where the focus goes back to. */
  let openedBy = "";

  /** @param {string} path */
  function renewalOf(path) {
    const known = renewals.get(path);
    if (known) return known;
    const made = renewal({ issue: issuer(call, path, texts), clock, show: layer.show, keyOf });
    renewals.set(path, made);
    return made;
  }

  function follow() {
    open?.stop();
    open = null;
    const { hash } = location;
    const voucherId = VOUCHER.exec(hash)?.[1];
    const link = /** @type {HTMLElement | null} */ (
      face.querySelector(voucherId ? `a[href="${hash}"]` : 'a[href="#code"]')
    );
    letSleep();
    letSleep = () => {};
    if (!link || !(voucherId || hash === "#code")) {
      layer.close();
      // What had the focus before may be gone: the card is drawn anew when it changes.
      const held = document.activeElement ?? document.body;
      if (openedBy && (held === document.body || dialog.contains(held))) {
        const back = /** @type {HTMLElement | null} */ (face.querySelector(`a[href="${openedBy}"]`));
        (back ?? face.querySelector("a"))?.focus({ preventScroll: true });
      }
      openedBy = "";
      return onFollow();
    }
    openedBy = hash;
    layer.open(voucherId
      ? { title: link.dataset.reward ?? "", about: texts.about_voucher }
      : { title: texts.hold, about: about() });
    open = renewalOf(voucherId ? `/api/v1/vouchers/${voucherId}/code` : `/api/v1/cards/${cardId}/code`);
    if (document.visibilityState === "visible") open.start();
    letSleep = keepAwake();
    onFollow();
  }

  function close() {
    // Not history.back(): the page may have been opened with the code in its address.
    if (location.hash) history.replaceState(null, "", location.pathname);
    follow();
  }

  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.querySelector('[data-do="close"]')?.addEventListener("click", (event) => {
    event.preventDefault();
    close();
  });

  return {
    follow,
    close,
    isOpen: () => open !== null,
    /** @param {boolean} isSeen - nobody looks: no code is asked for */
    wake: (isSeen) => (isSeen ? open?.start() : open?.stop()),
    /** It was used: another is asked for when it is shown again. */
    spent() {
      open?.spent();
      open?.stop();
    },
    /** @param {string | null} told - ids of keys that were called back */
    dropRevoked(told) {
      if (!told) return;
      const keys = new Set(told.split(",").map(Number));
      for (const each of renewals.values()) each.revoked(keys);
    },
  };
}
