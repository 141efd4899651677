// @ts-check
/**
 * Getting a lens: asking the browser for one, and what it says when there is none.
 *
 * @module scanner/lens
 *
 * @typedef {"denied" | "none" | "busy" | "lost" | "insecure"} Trouble
 */

/** No picture after this long is a black camera, ms. */
const BLACK_MS = 4000;

/** @type {Record<string, Trouble>} */
const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** How browsers say that a lens of this id is not there. */
export const GONE = ["OverconstrainedError", "NotFoundError"];

/**
 * @param {string} name - of what getUserMedia threw
 * @returns {Trouble}
 */
export const troubleOf = (name) => TROUBLES[name] ?? "lost";

/** @param {string | null} deviceId */
export const ask = (deviceId) =>
  navigator.mediaDevices.getUserMedia({
    audio: false,
    video: {
      ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" }),
      width: { ideal: 1280 },
      height: { ideal: 720 },
    },
  });

/** @returns {Promise<MediaDeviceInfo[]>} named once a camera has run */
export async function lenses() {
  const all = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []);
  return (all ?? []).filter((device) => device.kind === "videoinput");
}

/**
 * @param {HTMLVideoElement} video
 * @returns {Promise<boolean>}
 */
export function hasPicture(video) {
  if (video.videoWidth > 0 && video.readyState >= 2) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), BLACK_MS);
    const seen = () => {
      clearTimeout(timer);
      resolve(true);
    };
    video.addEventListener("loadeddata", seen, { once: true });
  });
}
