// @ts-check
/**
 * The page's end of the decoding worker: one picture under way at a time.
 *
 * @module scanner/decoder
 *
 * @typedef {ReturnType<typeof createDecoder>} Decoder
 */

/** A picture larger than this is shrunk first: it costs time and reads no better. */
const LONGEST = 1920;
/** A worker that says nothing for so long has died (iOS ends them unasked); ms. */
const SILENT_MS = 5000;

/**
 * @param {Worker} [given] - a worker that speaks as decoder-worker.js does
 */
export function createDecoder(given) {
  const worker =
    given ??
    new Worker(new URL("./decoder-worker.js", import.meta.url), { type: "module" });
  /** @type {Map<number, { resolve: (text: string | null) => void, reject: (fault: Error) => void }>} */
  const asked = new Map();
  let id = 0;

  /** @type {Promise<void>} settles when the worker can read, or cannot */
  const ready = new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.id !== undefined) answer(data);
      else if (data.ready) resolve();
      else reject(new Error(data.fault));
    });
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
  });
  ready.catch(() => undefined); // asked for below; nobody may be waiting yet

  /** @param {{ id: number, text?: string | null, fault?: string }} data */
  function answer({ id: answered, text = null, fault }) {
    const waiting = asked.get(answered);
    asked.delete(answered);
    if (fault) waiting?.reject(new Error(fault));
    else waiting?.resolve(text);
  }

  return {
    ready,
    /**
     * @param {HTMLVideoElement} video - playing
     * @returns {Promise<string | null>} the code's text; null for none
     * @throws {Error} when the worker cannot read
     */
    async read(video) {
      await ready;
      const picture = await grab(video);
      id += 1;
      const mine = id;
      return new Promise((resolve, reject) => {
        asked.set(mine, { resolve, reject });
        setTimeout(() => answer({ id: mine, fault: "no answer" }), SILENT_MS);
        if (picture instanceof ImageData) {
          worker.postMessage({ id: mine, image: picture }, [picture.data.buffer]);
        } else {
          worker.postMessage({ id: mine, bitmap: picture }, [picture]);
        }
      });
    },
    close: () => worker.terminate(),
  };
}

/**
 * The present picture, in a form that the worker can take.
 *
 * @param {HTMLVideoElement} video
 * @returns {Promise<ImageBitmap | ImageData>}
 */
async function grab(video) {
  const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
  const width = Math.round(video.videoWidth * scale);
  const height = Math.round(video.videoHeight * scale);
  if ("OffscreenCanvas" in globalThis) {
    if (scale === 1) return createImageBitmap(video);
    return createImageBitmap(video, { resizeWidth: width, resizeHeight: height });
  }
  // iOS before 16.4 draws in the page only.
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no 2d context");
  pen.drawImage(video, 0, 0, width, height);
  return pen.getImageData(0, 0, width, height);
}
