// @ts-check
/**
 * A device that is a till already was sent here with an enrolment code in its address:
 * go to the page that takes it.
 *
 * @module counter/to-enrolment
 *
 * @param {Location} place
 */
export function toEnrolment(place) {
  const go = () => {
    if (place.hash.startsWith("#enrol=")) place.replace(`/counter/enrol${place.hash}`);
  };
  globalThis.addEventListener("hashchange", go);
  go();
}
