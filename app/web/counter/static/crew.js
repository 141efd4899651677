// @ts-check
/**
 * Who is at the till, and what goes on behind them: the desk, the lock, the scans that
 * wait. They hang together: what waits is sent in the name of the one who scanned it, and
 * a locked till keeps its session until nothing waits that needs it.
 *
 * @module counter/crew
 */

import { createAutoLock } from "./auto-lock.js";
import { createBehind } from "./behind.js";
import { createDesk } from "./desk.js";

/**
 * @param {object} page
 * @param {any} page.texts
 * @param {string} page.lang
 * @param {Document} page.document
 * @param {(id: string) => HTMLDialogElement} page.dialog
 * @param {HTMLElement} page.chip - opens the list of what waits
 * @param {Storage} page.storage
 * @param {import("./session.js").Call} page.call
 * @param {() => boolean} page.isBusy - serving somebody
 * @param {Parameters<typeof createBehind>[1]["onAnswer"]} page.onLate - a scan of before was answered
 * @param {() => void} page.onOther - somebody else is at the till now
 * @param {() => void} page.onSignOut
 */
export function createCrew({
  texts, lang, document, dialog, chip, storage, call, isBusy, onLate, onOther, onSignOut,
}) {
  const desk = createDesk({
    texts,
    lang,
    call,
    dialog,
    onSignOut,
    onLeave: () => behind.pause(),
    onArrive(isOther) {
      if (isOther) {
        onOther();
        behind.queue.handOver(desk.who());
      }
      behind.start();
    },
  });
  const behind = createBehind(
    { chip, dialog: dialog("queue") },
    {
      texts,
      lang,
      storage,
      call,
      who: desk.who,
      onAnswer(scan, answered) {
        onLate(scan, answered);
        leave();
      },
      onEnded: () => desk.signInAgain(),
    },
  );
  const lock = createAutoLock({
    page: document,
    storage,
    isBusy: () => isBusy() || desk.isAsking(),
    lock() {
      const opened = desk.lock();
      leave();
      return opened;
    },
  });

  /** Behind the lock the session ends too, once nothing waits that needs it. */
  function leave() {
    if (!lock.isLocked() || behind.queue.next(desk.who())) return;
    void call("POST", "/counter/sign-out");
  }

  return {
    who: desk.who,
    ask: desk.ask,
    isAsking: desk.isAsking,
    openMenu: desk.openMenu,
    queue: behind.queue,
    openQueue: behind.open,
    hasWaiting: behind.hasWaiting,
    goOn: behind.start,
    lock: lock.now,
    /** A scan is a touch too. */
    touch: lock.touch,
    begin() {
      behind.begin();
      lock.begin();
      behind.start();
    },
  };
}
