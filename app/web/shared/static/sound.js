// @ts-check
/**
 * Results that are heard across a noisy room: given rises, refused buzzes twice,
 * waiting is one soft note. Made by WebAudio, nothing to download.
 *
 * A browser makes no sound before the first touch of the page: `unlock()` hangs on that
 * touch by itself, `isLocked()` tells a page to ask for it. Phones also shake.
 *
 * @module shared/sound
 */

/** @typedef {{ at: number, hz: number, long: number, type: OscillatorType, loud: number }} Note - `at` and `long` in seconds */

/** @type {Record<"given" | "refused" | "waiting", { notes: Note[], shake: number[] }>} */
const TUNES = {
  given: {
    notes: [
      { at: 0, hz: 660, long: 0.12, type: "triangle", loud: 0.6 },
      { at: 0.11, hz: 990, long: 0.28, type: "triangle", loud: 0.6 },
    ],
    shake: [60],
  },
  refused: {
    notes: [
      { at: 0, hz: 185, long: 0.2, type: "sawtooth", loud: 0.45 },
      { at: 0.26, hz: 139, long: 0.36, type: "sawtooth", loud: 0.45 },
    ],
    shake: [120, 80, 220],
  },
  waiting: {
    notes: [{ at: 0, hz: 440, long: 0.16, type: "sine", loud: 0.3 }],
    shake: [30],
  },
};

/** @type {AudioContext | null} */
let context = null;

/** Be ready at the first touch or key. Call once per page. */
export function unlock() {
  const open = () => {
    context ??= new AudioContext();
    // iOS suspends it again when the page was away, so this listener stays.
    if (context.state !== "running") void context.resume().catch(() => undefined);
  };
  for (const kind of ["pointerup", "keydown"]) {
    globalThis.addEventListener(kind, open, { capture: true, passive: true });
  }
}

/** True while the browser would swallow a sound. */
export const isLocked = () => context?.state !== "running";

export const given = () => play("given");
export const refused = () => play("refused");
export const waiting = () => play("waiting");

/** @param {keyof typeof TUNES} name */
function play(name) {
  const { notes, shake } = TUNES[name];
  // Chromium logs an error when a page shakes before it was touched.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(shake);
  if (context?.state !== "running") return;
  for (const note of notes) sing(context, note);
}

/**
 * @param {AudioContext} audio
 * @param {Note} note
 */
function sing(audio, { at, hz, long, type, loud }) {
  const start = audio.currentTime + at;
  const voice = new OscillatorNode(audio, { type, frequency: hz });
  const volume = new GainNode(audio, { gain: 0 });
  // Fades at both ends: a square edge clicks in small speakers.
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(loud, start + 0.012);
  volume.gain.setValueAtTime(loud, start + long * 0.6);
  volume.gain.linearRampToValueAtTime(0, start + long);
  voice.connect(volume).connect(audio.destination);
  voice.start(start);
  voice.stop(start + long);
}
