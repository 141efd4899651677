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
  const permission = await asked();
  permission?.addEventListener("change", allowed);
  navigator.mediaDevices?.addEventListener?.("devicechange", better);
  document.addEventListener("visibilitychange", seen);
  globalThis.addEventListener("pagehide", hidden);
  globalThis.addEventListener("pageshow", back);
  globalThis.addEventListener("orientationchange", turned);

  return () => {
    clearInterval(again);
    permission?.removeEventListener("change", allowed);
    navigator.mediaDevices?.removeEventListener?.("devicechange", better);
    document.removeEventListener("visibilitychange", seen);
    globalThis.removeEventListener("pagehide", hidden);
    globalThis.removeEventListener("pageshow", back);
    globalThis.removeEventListener("orientationchange", turned);
  };
}

/** @returns {Promise<PermissionStatus | null>} of the camera; null where none is told */
const asked = () =>
  navigator.permissions?.query({ name: /** @type {any} */ ("camera") }).catch(() => null) ??
  Promise.resolve(null);
