// @ts-check
/**
 * The page of a till with nobody at it.
 *
 * @module counter/sign-in
 */

import { call } from "/static/shared/api.js";
import { opened } from "./auto-lock.js";
import { toEnrolment } from "./to-enrolment.js";
import { createWho } from "./who.js";
import { pageData, part } from "./words.js";

/** A barista who was just added in the console wants to begin. */
const LOOK_AGAIN_MS = 5_000;

toEnrolment(location);

const who = createWho(part(document, "[data-who]"), {
  people: pageData("people"),
  texts: pageData("texts"),
  lang: document.documentElement.lang,
  call,
  onNoTill: () => location.reload(),
});

setInterval(() => document.hidden || void who.refresh(), LOOK_AGAIN_MS);

who.ask().then(() => {
  opened(localStorage);
  location.replace("/counter/");
});
