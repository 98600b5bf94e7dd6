// The words around a topic of the help, in the reader's language.

import { speak } from "../shared/i18n.js";

await speak();
document.body.dataset.ready = "true";
