// Everything that is asked of the server.

import { storage } from "./store.js";
/** @import { Edit, Folder, Message, Session, Step, Streams, Vote, Whole, Word, Writers } from "../types.js" */

const SESSION = "x-footnote-session";
const REQUEST = "x-request-id";
const KEY = "footnote/key";

let key = "";
/** @type {Session["functions"]} */
let functions = {};

// Why something was not done; `request` names what was asked of the server in its log.
export class Failure extends Error {
  /** @param {string} message @param {string | null} [request] */
  constructor(message, request) {
    super(message);
    this.request = request ?? undefined;
  }
}

// What an error says.
/** @param {unknown} error */
export function messageOf(error) {
  if (error instanceof Failure && error.request) return `${error.message} (Request ${error.request})`;
  return error instanceof Error ? error.message : String(error);
}

// Who this browser is: a secret that only it has, under which its documents are kept.
// Two tabs that begin at the same time agree on the one that is kept.
function ownKey() {
  const kept = storage.get(KEY);
  key = kept || key || crypto.getRandomValues(new Uint32Array(6)).join("-");
  if (!kept) storage.set(KEY, key);
  return key;
}

/** @param {string} path @param {Omit<RequestInit, "headers"> & { headers?: Record<string, string> }} options */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...options.headers, [SESSION]: ownKey() } });
  } catch {
    throw new Failure("Footnote cannot be reached. Is it still running? Start it again, then retry.");
  }
  if (response.status === 401) throw new Failure("You are logged out. Reload the page to log in again.");
  if (!response.ok) throw new Failure(await reason(response), response.headers.get(REQUEST));
  return response;
}

/** @param {Response} response @returns {Promise<unknown>} */
const told = (response) => response.json();

/** @param {Response} response */
async function reason(response) {
  try {
    const { detail } = /** @type {{ detail?: unknown }} */ (await told(response));
    if (typeof detail === "string") return detail;
  } catch {
    // No reason was given: the number is all there is.
  }
  return `Footnote answered with error ${response.status}. Try again, or reload the page.`;
}

/** @param {string} path @param {unknown} value */
const post = (path, value) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

export async function session() {
  const now = /** @type {Session} */ (await told(await ask("session")));
  functions = now.functions;
  return now;
}

/** @param {string} id */
export const document_ = async (id) => /** @type {Whole} */ (await told(await ask(`documents/${encodeURIComponent(id)}`)));
/** @param {string} id @param {number} page @param {number} width in pixels */
export const pagePicture = async (id, page, width) =>
  (await ask(`documents/${encodeURIComponent(id)}/pages/${page}?width=${width}`)).blob();
/** @param {string} id @param {number} page */
export const pageWords = async (id, page) =>
  /** @type {Word[]} */ (await told(await ask(`documents/${encodeURIComponent(id)}/pages/${page}/words`)));
/** @param {string} id */
export const keep = (id) => post(`documents/${encodeURIComponent(id)}/keep`, {});
/** @param {string} id */
export const remove = (id) => ask(`documents/${encodeURIComponent(id)}`, { method: "DELETE" });
/** @param {number} after the number of the last change that is known */
export const folder = async (after) => /** @type {Folder} */ (await told(await ask(`folder?after=${after}`)));
export const writers = async () => /** @type {Writers} */ (await told(await ask("writers")));
/** @param {string[]} documents */
export const starters = async (documents) => /** @type {string[]} */ (await told(await post("starters", documents)));
/** @param {Vote} value */
export const vote = (value) => post("feedback", value);

// Send a file; `arrived` hears the share that has arrived, and aborting the signal ends it. Gives the
// ticket to add it with.
/** @param {File} file @param {(share: number) => void} arrived @param {AbortSignal} signal @returns {Promise<string>} */
export function upload(file, arrived, signal) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    signal.addEventListener("abort", () => sending.abort());
    sending.onabort = () => reject(new Failure("It was cancelled."));
    sending.open("POST", `uploads?name=${encodeURIComponent(file.name)}`);
    sending.setRequestHeader(SESSION, ownKey());
    sending.responseType = "json";
    sending.upload.onprogress = (event) => event.lengthComputable && arrived(event.loaded / event.total);
    sending.onload = () => {
      /** @type {unknown} */
      const answer = sending.response;
      if (sending.status === 200 && typeof answer === "string") resolve(answer);
      else reject(new Failure(/** @type {{ detail?: string } | null} */ (answer)?.detail ?? `Error ${sending.status}: it was not taken.`, sending.getResponseHeader(REQUEST)));
    };
    sending.onerror = () => reject(new Failure("The file did not arrive. Is Footnote still running?"));
    sending.send(file);
  });
}

// Call a function through gradio's queue. Yields {place} while others are before it, then {value}
// for each value that it gives; aborting the signal ends it there and here.
/**
 * @template {keyof Streams} Name
 * @param {Name} name
 * @param {Streams[Name]["takes"]} data
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Step<Streams[Name]["gives"]>, void>}
 */
export async function* call(name, data, signal) {
  const stream = crypto.getRandomValues(new Uint32Array(4)).join("");
  const index = functions[name];
  const joining = await post("gradio_api/queue/join", { data, fn_index: index, session_hash: stream });
  const joined = /** @type {{ event_id: string }} */ (await told(joining));
  const request = joining.headers.get(REQUEST);
  const cancel = () => void post("gradio_api/cancel", { session_hash: stream, fn_index: index, event_id: joined.event_id }).catch(() => {});
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel(); // meanwhile
  try {
    const response = await ask(`gradio_api/queue/data?session_hash=${stream}`, { signal });
    /** @type {Streams[Name]["gives"] | undefined} */
    let value;
    for await (const message of messages(response.body)) {
      if (message.msg === "estimation") yield { place: message.rank };
      else if (message.msg === "process_starts") yield { place: -1 };
      else if (message.msg === "process_generating" && message.success) {
        const [piece] = message.output.data;
        // The first value comes whole, later ones as what changed in it.
        const whole = Array.isArray(piece) ? piece.reduce(edited, /** @type {unknown} */ (structuredClone(value))) : piece;
        value = /** @type {Streams[Name]["gives"]} */ (whole);
        yield { value };
      } else if (message.msg === "process_completed") {
        if (!message.success) throw new Failure(message.output?.error ?? "It could not be done. Try again.", request);
        return;
      } else if (message.msg === "unexpected_error" || message.msg === "process_generating") {
        throw new Failure("Footnote stopped while answering. Start it again, then retry.", request);
      }
    }
    if (!signal.aborted) throw new Failure("The connection broke off. Try again.", request);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>> | null} body @returns {AsyncGenerator<Message, void>} */
async function* messages(body) {
  if (!body) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    let part;
    try {
      part = await reader.read();
    } catch {
      return; // broken off, or given up here
    }
    if (part.done) return;
    const lines = (rest + part.value).split("\n\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      /** @type {unknown} */
      const message = JSON.parse(line.slice(6));
      yield /** @type {Message} */ (message);
    }
  }
}

// One of gradio's edits: [what is done, the path to where, with what].
/** @typedef {Record<string | number, unknown>} Branch of a value that is edited */
/** @param {unknown} value @param {Edit} edit @returns {unknown} */
function edited(value, [act, path, by]) {
  const last = path.at(-1);
  if (last === undefined) return act === "append" ? String(value) + by : by;
  const parent = path.slice(0, -1).reduce((node, step) => /** @type {Branch} */ (node[step]), /** @type {Branch} */ (value));
  if (act === "append") parent[last] = String(parent[last]) + by;
  else if (act === "replace") parent[last] = by;
  else if (act === "add" && Array.isArray(parent)) parent.splice(Number(last), 0, by);
  else if (act === "add") parent[last] = by;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else Reflect.deleteProperty(parent, last);
  return value;
}
