// Everything that is asked of the server.

import { toast } from "./dom.js";
import { storage } from "./store.js";
/** @import { Folder, Question, Session, ServerEvent, Vote, Whole, Word, Writers } from "../types.js" */

const SESSION = "x-footnote-session";
const REQUEST = "x-request-id";
const KEY = "footnote/key";

let key = "";

// Why something was not done; `request` names what was asked of the server in its log, `status` is
// that of HTTP where something was begun and came to nothing.
export class Failure extends Error {
  /** @param {string} message @param {string | null} [request] @param {number} [status] */
  constructor(message, request, status) {
    super(message);
    this.request = request ?? undefined;
    this.status = status;
  }
}

// What an error says.
/** @param {unknown} error */
export function messageOf(error) {
  if (error instanceof Failure && error.request) return `${error.message} (Request ${error.request})`;
  return error instanceof Error ? error.message : String(error);
}

// What comes of some work; where that fails, it is told why.
/** @template Value @param {Promise<Value>} work */
export const tried = (work) => work.catch((/** @type {unknown} */ error) => toast(messageOf(error)));

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
const json = (response) => response.json();

/** @param {Response} response */
async function reason(response) {
  try {
    const { detail } = /** @type {{ detail?: unknown }} */ (await json(response));
    if (typeof detail === "string") return detail;
  } catch {
    // No reason was given: the number is all there is.
  }
  return `Footnote answered with error ${response.status}. Try again, or reload the page.`;
}

/** @param {string} path @param {unknown} value @param {AbortSignal | null} [signal] */
const post = (path, value, signal = null) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value), signal });

export const session = async () => /** @type {Session} */ (await json(await ask("session")));

/** @param {string} id */
export const document_ = async (id) => /** @type {Whole} */ (await json(await ask(`documents/${encodeURIComponent(id)}`)));
/** @param {string} id @param {number} page @param {number} width in pixels */
export const pagePicture = async (id, page, width) =>
  (await ask(`documents/${encodeURIComponent(id)}/pages/${page}?width=${width}`)).blob();
/** @param {string} id @param {number} page */
export const pageWords = async (id, page) =>
  /** @type {Word[]} */ (await json(await ask(`documents/${encodeURIComponent(id)}/pages/${page}/words`)));
/** @param {string} id */
export const keep = (id) => post(`documents/${encodeURIComponent(id)}/keep`, {});
/** @param {string} id */
export const remove = (id) => ask(`documents/${encodeURIComponent(id)}`, { method: "DELETE" });
/** @param {number} after the number of the last change that is known */
export const folder = async (after) => /** @type {Folder} */ (await json(await ask(`folder?after=${after}`)));
export const writers = async () => /** @type {Writers} */ (await json(await ask("writers")));
/** @param {string[]} documents */
export const starters = async (documents) => /** @type {string[]} */ (await json(await post("starters", documents)));
/** @param {Vote} value */
export const vote = (value) => post("feedback", value);

// Ask a question. Yields the events of its answer, the place in line among them; aborting the signal
// ends it there and here.
/** @param {Question} question @param {AbortSignal} signal */
export async function* answers(question, signal) {
  const response = await post("ask", question, signal);
  const body = response.body?.pipeThrough(new TextDecoderStream()) ?? new ReadableStream();
  yield* events(body, signal, response.headers.get(REQUEST));
}

// Add a file; `arrived` hears the share that has arrived. Yields the events of its indexing; aborting
// the signal ends it there and here.
/** @param {File} file @param {(share: number) => void} arrived @param {AbortSignal} signal */
export function add(file, arrived, signal) {
  const sending = new XMLHttpRequest(); // fetch does not tell how much of a file has arrived
  signal.addEventListener("abort", () => sending.abort());
  sending.open("POST", `uploads?name=${encodeURIComponent(file.name)}`);
  sending.setRequestHeader(SESSION, ownKey());
  sending.upload.onprogress = (event) => event.lengthComputable && arrived(event.loaded / event.total);
  let read = 0;
  /** @type {ReadableStream<string>} */
  const body = new ReadableStream({
    start(out) {
      const take = () => {
        if (sending.status === 200) out.enqueue(sending.responseText.slice(read));
        read = sending.responseText.length;
      };
      sending.onprogress = take;
      sending.onload = async () => {
        take();
        if (sending.status === 200) out.close();
        else out.error(new Failure(await reason(new Response(sending.responseText, { status: sending.status })), sending.getResponseHeader(REQUEST)));
      };
      sending.onerror = () => (read ? out.close() : out.error(new Failure("The file did not arrive. Is Footnote still running?")));
      sending.onabort = () => out.close();
    },
  });
  sending.send(file);
  return events(body, signal);
}

// The events that come of something, to the last one. One that tells of a failure is thrown.
/** @param {ReadableStream<string>} body @param {AbortSignal} signal @param {string | null} [request] @returns {AsyncGenerator<ServerEvent, void>} */
async function* events(body, signal, request) {
  const reader = body.getReader();
  let rest = "";
  while (true) {
    const part = await reader.read().catch((/** @type {unknown} */ error) => {
      if (error instanceof Failure) throw error;
    });
    if (!part || part.done) break; // broken off, or given up here
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, name, data = "null"] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
      /** @type {unknown} */
      const value = JSON.parse(data);
      const event = /** @type {ServerEvent} */ ({ name, value });
      if (event.name === "failed") throw new Failure(event.value.detail, event.value.request_id, event.value.status);
      yield event;
      if (event.name === "done") return;
    }
  }
  if (!signal.aborted) throw new Failure("The connection broke off. Try again.", request);
}
