// @ts-check
/**
 * Make any picture that this browser can draw a small square PNG.
 *
 * So the shop may choose a JPEG, a WebP or an SVG, and the server need not read any of
 * them: what is drawn on a canvas has lost scripts, places and dates. The middle is kept
 * when the picture is not square.
 *
 * @module console/logo
 */

/** As app/programme/shop/look.py has it. */
export const MOST_BYTES = 56 * 1024;
/** Tried in turn until one is small enough. */
const SIDES = [256, 192, 144, 96];

/**
 * @param {Blob} file
 * @returns {Promise<File>}
 * @throws {Error} when it is no picture, or no size of it is small enough
 */
export async function asSquarePng(file) {
  const picture = await read(file);
  for (const side of SIDES) {
    const blob = await draw(picture, side);
    if (blob && blob.size <= MOST_BYTES) return new File([blob], "logo.png", { type: "image/png" });
  }
  throw new Error("too large");
}

/**
 * The square to take from a picture: its middle.
 *
 * @param {number} width
 * @param {number} height
 * @returns {{ x: number, y: number, side: number }}
 */
export function middle(width, height) {
  const side = Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/** @param {Blob} file @returns {Promise<HTMLImageElement>} */
async function read(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(picture.src);
  }
  return picture;
}

/** @param {HTMLImageElement} picture @param {number} side @returns {Promise<Blob | null>} */
function draw(picture, side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  // An SVG without a size of its own says nought.
  const cut = middle(picture.naturalWidth || side, picture.naturalHeight || side);
  if (pen) pen.imageSmoothingQuality = "high";
  pen?.drawImage(picture, cut.x, cut.y, cut.side, cut.side, 0, 0, side, side);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}
