// @ts-check
/**
 * Read QR codes off the page's main thread, so that the preview never stutters.
 *
 * Takes `{ id, bitmap }` or `{ id, image }`, both transferred, and answers
 * `{ id, text }` (null for a picture without a code) or `{ id, fault }`. Announces
 * itself with `{ ready: true }` or `{ fault }`. This script's own response must carry a
 * CSP with 'wasm-unsafe-eval'.
 *
 * @module scanner/decoder-worker
 */

import { prepareZXingModule, readBarcodes } from "../vendor/zxing/reader/index.js";

const OPTIONS = {
  formats: ["QRCode"],
  maxNumberOfSymbols: 1,
  tryHarder: true,
  tryInvert: true, // a phone's own dark mode may turn the picture over
  textMode: "Plain",
};

/** @type {OffscreenCanvas | null} */
let canvas = null;

/**
 * @param {ImageBitmap} bitmap
 * @returns {ImageData}
 */
function pixels(bitmap) {
  const { width, height } = bitmap;
  if (canvas?.width !== width || canvas.height !== height) {
    canvas = new OffscreenCanvas(width, height);
  }
  const pen = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  if (!pen) throw new Error("no 2d context");
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  return pen.getImageData(0, 0, width, height);
}

/** @param {unknown} error */
const wordsOf = (error) => (error instanceof Error ? error.message : String(error));

self.addEventListener("message", async ({ data }) => {
  try {
    const image = data.bitmap ? pixels(data.bitmap) : data.image;
    const [found] = await readBarcodes(image, OPTIONS);
    postMessage({ id: data.id, text: found?.isValid ? found.text : null });
  } catch (error) {
    postMessage({ id: data.id, fault: wordsOf(error) });
  }
});

prepareZXingModule({
  overrides: {
    locateFile: (/** @type {string} */ file) =>
      new URL(`../vendor/zxing/reader/${file}`, import.meta.url).href,
  },
  fireImmediately: true,
}).then(
  () => postMessage({ ready: true }),
  (/** @type {unknown} */ error) => postMessage({ fault: wordsOf(error) }),
);
