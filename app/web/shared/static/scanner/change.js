// @ts-check
/**
 * What happens around a camera while a page holds it, and may bring it back: the page
 * goes and comes, the device is turned, somebody allows it in the settings, a lens is
 * plugged in or another app lets go of it.
 *
 * @module scanner/change
 *
 * @typedef {object} Told
 * @property {() => void} shown - the page is seen again
 * @property {() => void} hidden - it is not
 * @property {() => void} turned
 * @property {() => void} allowed - the browser's answer about the camera has changed
 * @property {() => void} better - a lens may be there, or free; asked now and then too
 */

/** Not every browser says that a lens was let go: so often it is looked, ms. */
const AGAIN_MS = 4000;

/**
 * @param {Told} told
 * @returns {Promise<() => void>} looks no more
 */
export async function onChange({ shown, hidden, turned, allowed, better }) {
  const seen = () => (document.visibilityState === "hidden" ? hidden() : shown());
  // Back from the page cache; the first pageshow of all finds us opening already.
  const back = (/** @type {PageTransitionEvent} */ event) => event.persisted && shown();
  const again = setInterval(better, AGAIN_MS);
  /** @type {[EventTarget | null | undefined, string, any][]} */
  const heard = [
    [await asked(), "change", allowed],
    [navigator.mediaDevices, "devicechange", better],
    [document, "visibilitychange", seen],
    [globalThis, "pagehide", hidden],
    [globalThis, "pageshow", back],
    [globalThis, "orientationchange", turned],
  ];
  // Old browsers have lenses, or the right to them, that say nothing.
  for (const [who, what, verb] of heard) who?.addEventListener?.(what, verb);

  return () => {
    clearInterval(again);
    for (const [who, what, verb] of heard) who?.removeEventListener?.(what, verb);
  };
}

/** @returns {Promise<PermissionStatus | null>} of the camera; null where none is told */
const asked = () =>
  navigator.permissions?.query({ name: /** @type {any} */ ("camera") }).catch(() => null) ??
  Promise.resolve(null);
