// The parts of the page, of each of which there is one. main.js makes them; they ask each other for
// things by this.

/** @import { App } from "../../types.js" */

export const app = /** @type {App} */ ({});
