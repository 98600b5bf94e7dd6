// All requests to the server.

import { toast } from "./dom.js";
import { storage } from "./storage.js";
import { language, say, sentenceOf } from "./i18n.js";
/** @import { Deleted, Everywhere, Folder, Guide, SearchHit, KeptConversation, Listed, Listing, MorePassages, Note, Notebook, Noted, Placed, Problem, Question, ServerEvent, Session, Turn, Vote, Whole, Word, Writers } from "../../types.js" */

const SESSION = "x-footnote-session";
const REQUEST = "x-request-id";
const KEY = "footnote/key";

let key = "";

// The notebook that is open; what is asked and kept is of it.
/** @type {{ notebook: string | null }} */
export const active = { notebook: null };

/** @param {string} path @param {string | null} [notebook] */
const within = (path, notebook = active.notebook) => (notebook ? `${path}?notebook=${notebook}` : path);
// Of an address, with the notebook that is open or another.
/** @param {Record<string, string>} values @param {string | null} [notebook] */
const query = (values, notebook = active.notebook) => new URLSearchParams({ ...values, ...(notebook && { notebook }) }).toString();

// Why a request failed; `request` is its id in the server's log, `status` that of HTTP, `code` the kind of
// error.
export class Failure extends Error {
  /** @param {string} message @param {string | null} [request] @param {number} [status] @param {string | null} [code] */
  constructor(message, request, status, code) {
    super(message);
    // The log is of no use for what the reader can correct.
    this.request = (status ?? 500) < 500 ? undefined : (request ?? undefined);
    this.status = status;
    this.code = code;
  }
}

// Whether the server answered with this status of HTTP.
/** @param {unknown} error @param {number} status */
export const isStatus = (error, status) => error instanceof Failure && error.status === status;

// What an error says.
/** @param {unknown} error */
export function messageOf(error) {
  if (error instanceof Failure && error.request) return say("server.request", { message: error.message, request: error.request });
  return error instanceof Error ? error.message : String(error);
}

// The result of some work; if that fails, a toast says why, and the result is undefined.
/** @template Value @param {Promise<Value>} work */
export const orToast = (work) => work.catch((/** @type {unknown} */ error) => toast(messageOf(error)));

// The secret key of this browser, under which its documents are kept. Two tabs that start at the same time
// agree on the one that is stored.
function ownKey() {
  key = storage.get(KEY) || key || crypto.getRandomValues(new Uint32Array(6)).join("-");
  storage.set(KEY, key);
  return key;
}

/** @param {string} path @param {Omit<RequestInit, "headers"> & { headers?: Record<string, string> }} options */
async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { ...options.headers, [SESSION]: ownKey() } }).catch(() => {
    throw new Failure(say("server.unreachable"));
  });
  if (response.status === 401) throw new Failure(say("server.logged_out"), null, 401);
  if (!response.ok) throw await failureOf(response);
  return response;
}

/** @param {Response} response @returns {Promise<unknown>} */
const json = (response) => response.json();

// Where no reason is given, the number is all there is.
/** @param {Response} response */
async function failureOf(response) {
  const { status, headers } = response;
  const problem = /** @type {Problem | { detail?: undefined, code?: undefined } | null} */ (await json(response).catch(() => null));
  const why = typeof problem?.detail === "string" ? sentenceOf(problem) : say("server.error", { status });
  return new Failure(why, headers.get(REQUEST), status, problem?.code);
}

/** @param {string} method @param {string} path @param {unknown} value @param {AbortSignal | null} signal */
const send = (method, path, value, signal = null) => ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(value), signal });
/** @param {string} path @param {unknown} value @param {AbortSignal} [signal] */
const post = (path, value, signal) => send("POST", path, value, signal);

// Delete what is kept at a path, in a notebook or in none; and restore it.
/** @param {string} path @param {string | null} notebook */
export const remove = (path, notebook = null) => ask(within(path, notebook), { method: "DELETE" });
/** @param {string} path @param {string | null} notebook */
export const restore = (path, notebook = null) => post(within(`${path}/restore`, notebook), {});

// The session, with the documents of a notebook (by default the open one), or of none.
/** @param {string | null} [notebook] */
export const session = async (notebook) => /** @type {Session} */ (await json(await ask(within("session", notebook))));

/** @param {string} id */
export const loadDocument = async (id) => /** @type {Whole} */ (await json(await ask(`documents/${encodeURIComponent(id)}`)));
// Give a document another title; "": its own.
/** @param {string} id @param {string} title */
export const renameDocument = async (id, title) => /** @type {Listed} */ (await json(await send("PATCH", `documents/${encodeURIComponent(id)}`, { title })));
// The address of the originals of documents, in one file.
/** @param {string[]} ids */
export const originalsOf = (ids) => `documents/originals?${new URLSearchParams(ids.map((id) => ["id", id])).toString()}`;
/** @param {string} id @param {number} page @param {number} width in pixels */
export const pageImage = async (id, page, width) => (await ask(`documents/${encodeURIComponent(id)}/pages/${page}?width=${width}`)).blob();
/** @param {string} id @param {number} page */
export const pageWords = async (id, page) => /** @type {Word[]} */ (await json(await ask(`documents/${encodeURIComponent(id)}/pages/${page}/words`)));
// Where words occur in each document.
/** @param {string} text */
export const findEverywhere = async (text) => /** @type {Everywhere} */ (await json(await ask(`find?${query({ text })}`)));
/** @param {number} after the number of the last change that is known */
export const folder = async (after) => /** @type {Folder} */ (await json(await ask(`folder?after=${after}`)));
export const writers = async () => /** @type {Writers} */ (await json(await ask("writers")));
// What to begin with; of one of the documents its main headings, too.
/** @param {string[]} documents @param {string} [about] */
export const starters = async (documents, about) => /** @type {Guide} */ (await json(await post("starters", { documents, about, language })));
/** @param {Vote} value */
export const vote = (value) => post("feedback", value);

// --- notebooks, and what is in them or in none -----------------------------------------------------

export const notebooks = async () => /** @type {{ notebooks: Notebook[] }} */ (await json(await ask("notebooks"))).notebooks;
/** @param {string} name @param {string[]} documents */
export const addNotebook = async (name, documents = []) => /** @type {Notebook} */ (await json(await post("notebooks", { name, documents })));
/** @param {string} id @param {Partial<Pick<Notebook, "name" | "shared">>} changed */
export const changeNotebook = async (id, changed) => /** @type {Notebook} */ (await json(await send("PATCH", `notebooks/${id}`, changed)));
// Put documents in, or none where not all can be.
/** @param {string} notebook @param {string[]} ids */
export const putAllIn = (notebook, ids) => send("PUT", `notebooks/${notebook}/documents`, { documents: ids });
/** @param {string} id @param {string} document */
export const takeOut = (id, document) => remove(`notebooks/${id}/documents/${document}`);
// Restore a document that was taken out of a notebook, or else deleted.
/** @param {string} id @param {string | null} notebook */
export const restoreDocument = (id, notebook) => (notebook ? putAllIn(notebook, [id]) : restore(`documents/${id}`));

// Those of the notebook that is open; of all notebooks and of none where none is.
export const conversations = async () => /** @type {{ conversations: Listing[] }} */ (await json(await ask(`conversations?${query({ everywhere: String(!active.notebook) })}`))).conversations;
/** @param {string} text */
export const searchConversations = async (text) => /** @type {{ found: SearchHit[] }} */ (await json(await ask(`conversations/search?${query({ text, everywhere: String(!active.notebook) })}`))).found;
/** @param {string} id @param {string | null} notebook */
export const conversation = async (id, notebook) => /** @type {KeptConversation} */ (await json(await ask(within(`conversations/${id}`, notebook))));
/** @param {string} id @param {string} title @param {Turn} turn @param {string | null} [notebook] */
export const putTurn = (id, title, turn, notebook) => send("PUT", within(`conversations/${id}/turns`, notebook), { title, turn });
/** @param {string} id @param {string[]} turns @param {string | null} [notebook] */
export const removeTurns = (id, turns, notebook) => post(within(`conversations/${id}/turns/remove`, notebook), { turns });
/** @param {string} id @param {Partial<Pick<Listing, "title" | "pinned">>} changed @param {string | null} notebook */
export const changeConversation = (id, changed, notebook) => send("PATCH", within(`conversations/${id}`, notebook), changed);

/** @param {string | null} [notebook] */
export const notes = async (notebook) => /** @type {{ notes: Noted[] }} */ (await json(await ask(within("notes", notebook)))).notes;
// `over`: the text of it that its writer saw, which alone it takes the place of.
/** @param {Note} note @param {string | null} notebook @param {string} [over] */
export const putNote = (note, notebook, over) => send("PUT", within("notes", notebook), { ...note, over });

// Markers of the quotes that do not stand in their documents any more, by the question's id.
/** @param {string} id @param {string | null} [notebook] */
export const lapsed = async (id, notebook) => /** @type {{ lapsed: Record<string, number[]> }} */ (await json(await ask(within(`conversations/${id}/lapsed`, notebook)))).lapsed;

// What was deleted and can be restored.
export const trash = async () => /** @type {{ deleted: Deleted[] }} */ (await json(await ask(`trash?${query({ everywhere: String(!active.notebook) })}`))).deleted;

// The address of an exported file of what is kept at a path.
/** @param {string} path @param {string} format @param {Record<string, string>} more */
export const exportOf = (path, format, more = {}) => `${path}/export?${query({ format, lang: language, ...more })}`;
// Places as references for a bibliography.
/** @param {string} format @param {Placed[]} citations */
export const cite = async (format, citations) => (await post("cite", { format, lang: language, citations })).text();
// Passages beyond those that are shown.
/** @param {Question & { shown: string[], reworded: boolean }} asked */
export const morePassages = async (asked) => /** @type {MorePassages} */ (await json(await post("passages", asked)));

// --- what takes long -------------------------------------------------------------------------------

// Ask a question: the place in line is among the events of its answer.
/** @param {Question} question @param {AbortSignal} signal */
export const answers = (question, signal) => events(post("ask", { ...question, language }, signal), signal);

// Add what is at an address, to a notebook or to none.
/** @param {string} address @param {AbortSignal} signal @param {{ notebook: string | null, ocr: boolean }} how */
export const addAddress = (address, signal, { notebook, ocr }) => events(post(`addresses?${query({ ocr: String(ocr) }, notebook)}`, { address }, signal), signal);

// Read the pictures of a document.
/** @param {string} id @param {AbortSignal} signal */
export const readPictures = (id, signal) => events(post(`documents/${id}/pictures`, {}, signal), signal);

// The owner's document that a file of this name and folder would replace.
/** @param {string} name @param {string} folder */
export const there = async (name, folder) => /** @type {Listed | null} */ (await json(await ask(`uploads/there?${new URLSearchParams({ name, folder })}`)));

// Add a file, as the events of its indexing.
/** @param {File} file @param {AbortSignal} signal @param {{ folder: string, notebook: string | null, ocr: boolean }} how where it lies in a folder that is added, where it goes to, whether its pictures are read @param {string} name that it gets */
export const add = (file, signal, { folder, notebook, ocr }, name) =>
  events(ask(`uploads?${query({ name, folder, ocr: String(ocr) }, notebook)}`, { method: "POST", body: file, signal }), signal);

// The events of something long, to the last one. A failure is thrown; aborting the signal ends it here and on
// the server.
/** @param {Promise<Response>} asked @param {AbortSignal} signal @returns {AsyncGenerator<ServerEvent, void>} */
async function* events(asked, signal) {
  const { body, headers } = await asked;
  const reader = (body?.pipeThrough(new TextDecoderStream()) ?? new ReadableStream()).getReader();
  let rest = "";
  while (true) {
    const part = await reader.read().catch(() => null);
    if (!part || part.done) break; // broken off, or given up here
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, name, data = "null"] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
      /** @type {unknown} */
      const value = JSON.parse(data);
      const event = /** @type {ServerEvent} */ ({ name, value });
      if (event.name === "failed") throw new Failure(sentenceOf(event.value), event.value.request_id, event.value.status, event.value.code);
      yield event;
      if (event.name === "done") return;
    }
  }
  if (!signal.aborted) throw new Failure(say("server.broken_off"), headers.get(REQUEST));
}
