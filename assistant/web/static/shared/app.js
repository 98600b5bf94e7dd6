// The page's components, one of each. main.js makes them; they reach each other through this object.

/** @import { App } from "../../types.js" */

export const app = /** @type {App} */ ({});
