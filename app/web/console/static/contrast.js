// @ts-check
/**
 * The colour of words on a colour: as app/programme/shop/card.py has it, so that the
 * picture beside the form is true before anything is saved.
 *
 * @param {string} colour - "#rrggbb"
 * @returns {string} "#ffffff", "#1d1a16" or "#000000"
 */
export function inkOn(colour) {
  const [white, ink] = [contrast("#ffffff", colour), contrast("#1d1a16", colour)];
  if (Math.max(white, ink) < 4.5) return "#000000";
  return white >= ink ? "#ffffff" : "#1d1a16";
}

/**
 * @param {string} text - what was typed
 * @returns {string | null} "#rrggbb" in lower case; null when it is no colour
 */
export function colourOf(text) {
  const colour = text.trim().toLowerCase();
  return /^#[0-9a-f]{6}$/.test(colour) ? colour : null;
}

/**
 * @param {string} one
 * @param {string} other
 */
function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {string} colour */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
