// @ts-check
/**
 * The camera, with what browsers do to it.
 *
 * A page that goes away must let go of the camera (iOS freezes it otherwise), a lens
 * may be taken by another app (its track ends, or goes silent), and a home-screen app on
 * iOS sometimes opens a camera that stays black: then it is opened once more. Where a
 * lens can, it is told to focus by itself for as long as it runs.
 *
 * @module scanner/camera
 *
 * @typedef {import("./lens.js").Trouble} Trouble
 * @typedef {ReturnType<typeof createCamera>} Camera
 */

import { GONE, ask, hasPicture, troubleOf } from "./lens.js";

/** A track may fall silent for a moment; longer, and somebody else has the lens; ms. */
const SILENT_MS = 2000;

/**
 * @param {HTMLVideoElement} video
 * @param {() => void} onLost - the track ended by itself, or has fallen silent
 */
export function createCamera(video, onLost) {
  /** @type {MediaStream | null} */
  let stream = null;
  /** @type {string | null} */
  let chosen = null;
  let turn = 0; // a later open or close makes an earlier open void

  video.muted = true;
  video.playsInline = true;
  video.setAttribute("playsinline", ""); // older iOS reads the attribute only

  const track = () => stream?.getVideoTracks()[0] ?? null;
  const able = () => /** @type {any} */ (track()?.getCapabilities?.() ?? {});

  function close() {
    turn += 1;
    stream?.getTracks().forEach((each) => each.stop());
    stream = null;
    video.srcObject = null;
  }

  /**
   * @param {boolean} isSecond - a camera that stays black is opened twice, not for ever
   * @returns {Promise<Trouble | null>} null when it runs
   */
  async function open(isSecond = false) {
    if (!globalThis.isSecureContext || !navigator.mediaDevices) return "insecure";
    close();
    const mine = turn;
    try {
      const fresh = await ask(chosen);
      if (mine !== turn) {
        fresh.getTracks().forEach((each) => each.stop());
        return null;
      }
      stream = fresh;
      const lost = () => mine === turn && onLost();
      track()?.addEventListener("ended", lost);
      track()?.addEventListener("mute", () =>
        setTimeout(() => mine === turn && track()?.muted && onLost(), SILENT_MS),
      );
      void focusByItself();
      // A lens on the screen's side shows a mirror, as people expect.
      video.dataset.facing = track()?.getSettings().facingMode ?? "";
      video.srcObject = fresh;
      await video.play();
      if (await hasPicture(video)) return null;
      return isSecond || mine !== turn ? "lost" : open(true);
    } catch (error) {
      if (mine !== turn) return null;
      if (chosen && GONE.includes(/** @type {Error} */ (error).name)) {
        chosen = null; // that lens was unplugged
        return open(isSecond);
      }
      return troubleOf(/** @type {Error} */ (error).name);
    }
  }

  /** A code at arm's length, then at a hand's: a lens that was focused once reads neither. */
  async function focusByItself() {
    if (!able().focusMode?.includes("continuous")) return;
    const wish = /** @type {any} */ ({ advanced: [{ focusMode: "continuous" }] });
    await track()?.applyConstraints(wish).catch(() => undefined); // it works without
  }

  return {
    open: () => open(),
    close,
    isOpen: () => stream !== null,
    /** @param {string | null} deviceId - null for the one on the back */
    choose(deviceId) {
      chosen = deviceId;
    },
    current: () => track()?.getSettings().deviceId ?? null,
    canLight: () => able().torch === true,
    /** @param {boolean} on */
    async light(on) {
      if (able().torch !== true) return false;
      const wish = /** @type {any} */ ({ advanced: [{ torch: on }] }); // not in lib.dom
      return (track()?.applyConstraints(wish) ?? Promise.reject()).then(
        () => true,
        () => false,
      );
    },
  };
}
