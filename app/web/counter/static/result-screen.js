// @ts-check
/**
 * The result that owns the screen until it is tapped, timed out or replaced.
 *
 * @module counter/result-screen
 *
 * @typedef {import("./outcome.js").Screen} Screen
 * @typedef {"next" | "undo" | "cancel" | "later" | "replaced"} Choice
 */

import { fill, part, say } from "./words.js";

const MOODS = ["given", "refused", "waiting", "undone", "practice"];
/** What sounds otherwise than it is called. @type {Record<string, "waiting">} */
const TUNES = { undone: "waiting", practice: "waiting" };
/** A title of more characters is set smaller. */
const LONG = 26;

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} page
 * @param {any} page.texts
 * @param {Record<"given" | "refused" | "waiting", () => void>} page.sound
 */
export function createResultScreen(dialog, { texts, sound }) {
  const undo = part(dialog, "[data-undo]");
  const cancel = part(dialog, "[data-cancel]");
  const next = part(dialog, "[data-next]");
  const later = part(dialog, "[data-later]");
  const dots = part(dialog, "[data-dots]");
  const earned = part(dialog, "[data-earned]");
  /** @type {((choice: Choice) => void) | null} */
  let settle = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let mood = "";

  /** @param {Choice} choice */
  function end(choice) {
    clearTimeout(timer);
    const done = settle;
    settle = null;
    if (choice !== "replaced") {
      mood = "";
      if (dialog.open) dialog.close();
    }
    done?.(choice);
  }

  undo.addEventListener("click", () => end("undo"));
  cancel.addEventListener("click", () => end("cancel"));
  later.addEventListener("click", () => end("later"));
  // A tap anywhere goes on, but waiting is left by its button only.
  dialog.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("[data-undo], [data-cancel], [data-later]")) return;
    if (mood !== "waiting") end("next");
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    end(mood === "waiting" ? "cancel" : "next");
  });

  /** @param {Screen} screen */
  function draw(screen) {
    for (const each of MOODS) {
      dialog.classList.toggle(`result--${each}`, each === screen.mood);
    }
    dialog.classList.toggle("result--long", screen.title.length > LONG);
    for (const icon of dialog.querySelectorAll("[data-icon]")) {
      /** @type {HTMLElement} */ (icon).hidden =
        icon.getAttribute("data-icon") !== screen.icon;
    }
    say(part(dialog, "[data-title]"), screen.title);
    part(dialog, "[data-lines]").replaceChildren(...screen.lines.map(paragraph));
    earned.hidden = !screen.earned;
    say(part(earned, "span"), screen.earned);
    dots.hidden = !screen.dots;
    if (screen.dots) drawDots(screen.dots);
    undo.hidden = !screen.undo;
    cancel.hidden = screen.mood !== "waiting";
    next.hidden = screen.mood === "waiting";
    later.hidden = !screen.later;
    part(dialog, "[data-practice]").hidden = screen.mood !== "practice";
  }

  /** @param {{ full: number, of: number }} count */
  function drawDots({ full, of }) {
    const label = fill(texts.given.progress, { stamps: full, required: of });
    dots.setAttribute("aria-label", label);
    dots.replaceChildren(
      ...Array.from({ length: of }, (_, place) => {
        const dot = document.createElement("span");
        dot.className = `result__dot${place < full ? " result__dot--full" : ""}`;
        return dot;
      }),
    );
  }

  return {
    isOpen: () => dialog.open,
    /**
     * @param {Screen} screen
     * @returns {Promise<Choice>}
     */
    show(screen) {
      end("replaced");
      draw(screen);
      const { mood: fresh } = screen;
      if (fresh !== mood) sound[/** @type {keyof typeof sound} */ (TUNES[fresh] ?? fresh)]();
      mood = screen.mood;
      if (!dialog.open) dialog.showModal();
      [next, later, cancel].find((each) => !each.hidden)?.focus({ preventScroll: true });
      return new Promise((resolve) => {
        settle = resolve;
        if (screen.stay) timer = setTimeout(() => end("next"), screen.stay);
      });
    },
    /**
     * Take a finished result away for the next scan; whoever waits hears "next".
     *
     * @returns {boolean} false: nothing to take away, or it is still under way
     */
    skip() {
      const canSkip = settle !== null && mood !== "waiting";
      if (canSkip) end("next");
      return canSkip;
    },
    /** Take away a waiting that has ended without a result. */
    close: () => end("replaced") ?? (dialog.open && dialog.close()),
  };
}

/** @param {string} text */
function paragraph(text) {
  const made = document.createElement("p");
  say(made, text);
  return made;
}
