// @ts-check
/**
 * The card as it was when this phone was last online, for times without a network.
 *
 * Kept on the phone: what the card is of, its stamps and its number; no name, no code, no
 * right to anything. It always says how old it is, and goes when the card is no longer
 * this phone's to see.
 *
 * @module customer/last-seen
 *
 * @typedef {object} Seen
 * @property {string} programme
 * @property {number} stamps
 * @property {number} required
 * @property {string} number - as the card has it
 * @property {import("./usable.js").Waiting[]} vouchers
 * @property {number} at - ms, when the server last said so
 */

const KEY = "punchproof-card";
const LOOK_MS = 20_000;

/** @param {Storage} storage @param {Seen} seen */
export function keep(storage, seen) {
  try {
    storage.setItem(KEY, JSON.stringify(seen));
  } catch {
    // Full, or not allowed here: then there is nothing to show, and it says so.
  }
}

/** @param {Pick<Storage, "removeItem">} storage */
export const forget = (storage) => storage.removeItem(KEY);

/**
 * @param {Pick<Storage, "getItem">} storage
 * @returns {Seen | null}
 */
export function lastSeen(storage) {
  try {
    const seen = JSON.parse(storage.getItem(KEY) ?? "null");
    return Number.isInteger(seen?.stamps) && Number.isFinite(seen?.at) ? seen : null;
  } catch {
    return null;
  }
}

/**
 * Read the card's face as it stands in the page.
 *
 * @param {Element} face
 * @param {number} now - ms
 * @returns {Seen}
 */
export function seenIn(face, now) {
  const { title = "", stamps, required } = /** @type {HTMLElement} */ (face.firstElementChild).dataset;
  return {
    programme: title,
    stamps: Number(stamps),
    required: Number(required),
    number: face.querySelector(".card__number")?.textContent?.trim() ?? "",
    vouchers: [...face.querySelectorAll(".voucher")].map((each) => {
      const { until, untilWords } = /** @type {HTMLElement} */ (each).dataset;
      return {
        reward: each.querySelector(".voucher__reward")?.textContent?.trim() ?? "",
        until: untilWords ?? "",
        ends: until ? Date.parse(until) : null,
      };
    }),
    at: now,
  };
}

/**
 * Mark what has ended since the server was last heard.
 *
 * @param {ParentNode} face
 * @param {number} now - ms; -Infinity: it is heard
 */
export function markEnded(face, now) {
  for (const each of face.querySelectorAll("[data-until]"))
    each.toggleAttribute("data-over", now > Date.parse(each.getAttribute("data-until") ?? "") + 999);
}

const MINUTE = 60_000;
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["day", 24 * 60 * MINUTE],
  ["hour", 60 * MINUTE],
  ["minute", MINUTE],
];

/**
 * @param {number} at - ms
 * @param {number} now - ms
 * @param {string} [lang] - BCP 47
 * @returns {string} "3 minutes ago", "yesterday"; below a minute "this minute"
 */
export function howOld(at, now, lang) {
  const age = Math.max(0, now - at);
  const [unit, size] = UNITS.find(([, each]) => age >= each) ?? UNITS[2];
  const words = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  return words.format(-Math.floor(age / size), unit);
}

/**
 * The line on the card's page that says how old the card is which one sees without a
 * network.
 *
 * @param {HTMLElement} place
 * @param {object} page
 * @param {string} page.sentence - with {age} in braces
 * @param {string} page.lang - BCP 47
 * @param {(at: number) => void} [page.mark] - as `markEnded`, for what the page shows
 * @param {() => number} [page.now]
 */
export function offlineNotice(place, { sentence, lang, mark = () => {}, now = Date.now }) {
  /** When the server last answered, in milliseconds of this phone's clock. */
  let last = now();

  function say() {
    mark(place.hidden ? -Infinity : now());
    const said = place.querySelector("[data-said]");
    if (!said || place.hidden) return;
    said.textContent = sentence.replace("{age}", howOld(last, now(), lang));
  }

  setInterval(say, LOOK_MS);
  return {
    /** The server has just answered. */
    heard() {
      last = now();
      place.hidden = true;
      say();
    },
    /** @param {boolean} isOffline */
    show(isOffline) {
      place.hidden = !isOffline;
      say();
    },
  };
}
