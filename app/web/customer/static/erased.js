// @ts-check
/**
 * After a person was erased: the phone forgets the card too, also where a browser does
 * not know the header that says so.
 *
 * @module customer/erased
 */

import { forget } from "./last-seen.js";

forget(localStorage);
