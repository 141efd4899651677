// @ts-check
/**
 * Scans that nobody has answered yet, kept by this device.
 *
 * A scan is written here before it is sent and leaves when the server has answered, so
 * that a reload, a flat battery or a dead network loses none. Asked again it is the same
 * request: the server counts it once, and tells its own first answer however late.
 *
 * A scan belongs to the person who made it. The server books in the name of whoever is
 * signed in, so a scan is never sent for somebody else: when another person takes over,
 * what is left of the one before loses its code and stays as a line to be looked at.
 *
 * @module counter/queue
 *
 * @typedef {object} Scan
 * @property {string} id - the request's
 * @property {string} kind - "card", "voucher" or "short"
 * @property {string} code - "" when it must not be sent any more
 * @property {number} stamps
 * @property {number} [amount] - of money: how much of the voucher is used
 * @property {import("./basket.js").Order} [order] - what was bought
 * @property {string} staffId - who scanned it
 * @property {number} at - ms, when it was scanned
 * @property {"waiting" | "refused" | "left"} state - `left`: by a person who is gone
 * @property {string} words - what the server said of it, when it was refused
 */

const KEY = "punchproof-queue";
/** More lines than these help nobody; what was told already goes first. */
const MOST = 50;

/**
 * @param {Scan[]} scans - oldest first
 * @returns {Scan[]}
 */
export function within(scans) {
  const over = scans.length - MOST;
  if (over <= 0) return scans;
  const told = scans.filter(({ state }) => state !== "waiting").slice(0, over);
  return scans.filter((scan) => !told.includes(scan));
}

/**
 * @param {object} world
 * @param {Pick<Storage, "getItem" | "setItem">} world.storage
 * @param {(scans: Scan[]) => void} [world.onChange]
 * @param {() => number} [world.now] - ms
 */
export function createQueue({ storage, onChange, now = Date.now }) {
  /** Being asked in the foreground: nobody else asks. @type {Set<string>} */
  const held = new Set();
  /** Stands in where the browser keeps nothing. @type {Scan[]} */
  let known = [];

  /** @returns {Scan[]} */
  function all() {
    try {
      const kept = JSON.parse(storage.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return known;
    }
  }

  /** @param {Scan[]} scans */
  function keep(scans) {
    known = within(scans);
    try {
      storage.setItem(KEY, JSON.stringify(known));
    } catch {
      // Full, or not allowed here: the scans live as long as the page.
    }
    onChange?.(known);
  }

  /** @param {string} id @param {Partial<Scan>} change */
  const change = (id, change) =>
    keep(all().map((scan) => (scan.id === id ? { ...scan, ...change } : scan)));

  return {
    all,
    /**
     * Keep a scan that is about to be sent by the caller, who ends with `drop` or
     * `release`.
     *
     * @param {Pick<Scan, "id" | "kind" | "code" | "stamps" | "amount" | "order" | "staffId">} scan
     */
    add(scan) {
      held.add(scan.id);
      keep([...all(), { ...scan, at: now(), state: "waiting", words: "" }]);
    },
    /** It was answered, or given up. @param {string} id */
    drop(id) {
      held.delete(id);
      keep(all().filter((scan) => scan.id !== id));
    },
    /** Let it be asked in the background from now on. @param {string} id */
    release(id) {
      held.delete(id);
      onChange?.(all());
    },
    /** @param {string} id @param {string} words */
    refuse: (id, words) => change(id, { state: "refused", code: "", words }),
    /** @param {string} staffId @returns {Scan | undefined} the next to be asked for */
    next: (staffId) =>
      all().find(
        (scan) =>
          scan.state === "waiting" && scan.staffId === staffId && !held.has(scan.id),
      ),
    /**
     * Somebody is at the till now: what others left is not sent any more.
     *
     * @param {string} staffId
     */
    handOver(staffId) {
      const isLeft = (/** @type {Scan} */ scan) =>
        scan.state === "waiting" && scan.staffId !== staffId;
      if (!all().some(isLeft)) return;
      keep(all().map((scan) => (isLeft(scan) ? { ...scan, state: "left", code: "" } : scan)));
    },
    /** Forget the lines that need no answer any more. */
    clearTold: () => keep(all().filter(({ state }) => state === "waiting")),
  };
}
