// @ts-check
/** A clock that the test moves, with timers that ring on the way. */
export function fakeClock() {
  let now = 0;
  let serial = 0;
  /** @type {Map<number, { at: number, then: () => void }>} */
  const timers = new Map();
  return {
    now: () => now,
    /** @param {number} ms @param {() => void} then */
    after(ms, then) {
      const id = (serial += 1);
      timers.set(id, { at: now + ms, then });
      return () => void timers.delete(id);
    },
    waiting: () => timers.size,
    /** @param {number} ms - all that is due happens in order, answers included */
    async forward(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= end);
        if (!due.length) break;
        const [id, timer] = due.reduce((a, b) => (b[1].at < a[1].at ? b : a));
        timers.delete(id);
        now = Math.max(now, timer.at);
        timer.then();
        await settle();
      }
      now = end;
    },
  };
}

/** Let everything that is already answered be heard. */
export async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
