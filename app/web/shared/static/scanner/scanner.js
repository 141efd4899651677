// @ts-check
/**
 * Scan QR codes with the camera of this device.
 *
 * Promises: a text is reported once and again only after it left the picture for 1.5 s;
 * the camera is off while the page is hidden and comes back with it; the screen stays
 * on; nothing is thrown, trouble is a state that the page puts into words.
 *
 * @module scanner/scanner
 *
 * @typedef {"starting" | "scanning" | "held" | "denied" | "none" | "busy" | "lost" | "insecure" | "failed"} State
 *   `held`: after `resume({ whenClear: true })`, while a code is still in the picture;
 *   `failed`: the camera runs, the decoder does not (old browser, no WebAssembly)
 *
 * @typedef {object} Scanner
 * @property {() => void} stop - for good: camera, worker and wake lock
 * @property {() => void} pause - look no more; the preview goes on
 * @property {(how?: { again?: boolean, whenClear?: boolean }) => void} resume - look
 *   again; `again: false`: what was reported stays reported until it leaves;
 *   `whenClear`: nothing is reported before the picture was empty
 * @property {() => Promise<void>} retry - open the camera once more, after trouble
 * @property {() => Promise<MediaDeviceInfo[]>} cameras - named once the camera runs
 * @property {() => string | null} camera - id of the one in use
 * @property {(deviceId: string | null) => Promise<void>} use - null: the back camera
 * @property {() => boolean} canTorch
 * @property {(on: boolean) => Promise<boolean>} torch - false where there is none
 */

import { keepAwake } from "./awake.js";
import { createCamera } from "./camera.js";
import { onChange } from "./change.js";
import { createDecoder } from "./decoder.js";
import { lenses } from "./lens.js";
import { createRepeats } from "./repeats.js";

/** At most so many pictures a second are read, for the battery's sake: ms between. */
const EVERY_MS = 60;
/** A picture that cannot be read is no matter, several in a row are. */
const MOST_FAULTS = 3;
/** Trouble that may pass without anybody touching this page. */
const PASSING = ["busy", "lost", "none"];

/**
 * @param {object} page
 * @param {HTMLVideoElement} page.video
 * @param {(text: string) => void} page.onText
 * @param {(state: State) => void} [page.onState]
 * @param {Worker} [page.worker] - instead of our own decoding worker
 * @param {string | null} [page.deviceId] - the lens to begin with
 * @returns {Promise<Scanner>} once the camera runs or has said why not
 */
export async function startScanner({ video, onText, onState, worker, deviceId }) {
  const repeats = createRepeats();
  const decoder = createDecoder(worker);
  const camera = createCamera(video, () => say("lost"));
  const sleep = keepAwake();
  let isStopped = false;
  let pausedAt = 0; // 0: looking
  let faults = 0; // in a row
  let isTrying = false;
  /** @type {State | null} */
  let said = null;
  camera.choose(deviceId ?? null);

  /** @param {State} state */
  function say(state) {
    if (state === said || isStopped) return;
    said = state;
    onState?.(state);
  }

  async function open(isQuiet = false) {
    if (isStopped || document.visibilityState === "hidden") return;
    if (!isQuiet) say("starting");
    const trouble = await camera.open();
    if (trouble) return say(trouble);
    if (!camera.isOpen()) return; // closed or opened again meanwhile
    await decoder.ready.then(
      () => say("scanning"),
      () => say("failed"),
    );
  }

  async function look() {
    if (pausedAt || !camera.isOpen() || video.readyState < 2) return;
    const text = await decoder.read(video).catch(() => undefined);
    if (isStopped || pausedAt) return;
    faults = text === undefined ? faults + 1 : 0;
    if (faults > MOST_FAULTS) say("failed");
    if (text === undefined) return;
    if (said === "failed") say("scanning");
    const isNews = repeats.isNews(text, performance.now());
    if (said === "scanning" && repeats.isHeld() && text !== null) say("held");
    if (said === "held" && !repeats.isHeld()) say("scanning");
    if (isNews && text !== null) onText(text);
  }

  async function watch() {
    while (!isStopped) {
      const started = performance.now();
      await look();
      const rest = EVERY_MS - (performance.now() - started);
      await new Promise((next) => setTimeout(next, Math.max(rest, 10)));
    }
  }

  const opening = open();
  const leave = await onChange({
    shown: () => void open(),
    hidden: camera.close,
    turned: () => void video.play().catch(() => undefined), // iOS stops it
    allowed: () => void (said === "denied" && open(true)),
    async better() {
      if (isTrying || !said || !PASSING.includes(said)) return;
      isTrying = true; // a black camera takes longer to tell than the wait between tries
      await open(true);
      isTrying = false;
    },
  });
  await opening;
  void watch();

  return {
    stop() {
      isStopped = true;
      camera.close();
      decoder.close();
      sleep();
      leave();
    },
    pause() {
      pausedAt ||= performance.now();
    },
    resume({ again = true, whenClear = false } = {}) {
      if (again) repeats.forget();
      else if (pausedAt) repeats.skip(performance.now() - pausedAt);
      if (whenClear) repeats.hold();
      pausedAt = 0;
    },
    retry: () => open(),
    cameras: lenses,
    camera: camera.current,
    async use(id) {
      camera.choose(id);
      await open();
    },
    canTorch: camera.canLight,
    torch: camera.light,
  };
}
