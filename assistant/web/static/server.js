// Everything that is asked of the server.

import { storage } from "./store.js";

const SESSION = "x-footnote-session";

let key = "";
let functions = {};

export class Failure extends Error {}

// Who this browser is: a secret that only it has, under which its documents are kept.
function ownKey() {
  key ||= storage.get("footnote/key") || crypto.getRandomValues(new Uint32Array(6)).join("-");
  storage.set("footnote/key", key);
  return key;
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...options.headers, [SESSION]: ownKey() } });
  } catch {
    throw new Failure("Footnote cannot be reached. Is it still running? Start it again, then retry.");
  }
  if (response.status === 401) throw new Failure("You are logged out. Reload the page to log in again.");
  if (!response.ok) throw new Failure(await reason(response));
  return response;
}

async function reason(response) {
  try {
    const { detail } = await response.json();
    if (typeof detail === "string") return detail;
  } catch {
    // No reason was given: the number is all there is.
  }
  return `Footnote answered with error ${response.status}. Try again, or reload the page.`;
}

const post = (path, value) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

export async function session() {
  const told = await (await ask("session")).json();
  functions = told.functions;
  return told;
}

export const document_ = async (id) => (await ask(`documents/${encodeURIComponent(id)}`)).json();
export const keep = (id) => post(`documents/${encodeURIComponent(id)}/keep`, {});
export const remove = (id) => ask(`documents/${encodeURIComponent(id)}`, { method: "DELETE" });
export const starters = async (documents) => (await post("starters", documents)).json();
export const vote = (value) => post("feedback", value);

// Send a file; `told` hears the share that has arrived, and aborting the signal ends it. Gives the
// ticket to add it with.
export function upload(file, told, signal) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    signal.addEventListener("abort", () => sending.abort());
    sending.onabort = () => reject(signal.reason);
    sending.open("POST", `uploads?name=${encodeURIComponent(file.name)}`);
    sending.setRequestHeader(SESSION, ownKey());
    sending.responseType = "json";
    sending.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    sending.onload = () =>
      sending.status === 200
        ? resolve(sending.response)
        : reject(new Failure(sending.response?.detail ?? `Error ${sending.status}: it was not taken.`));
    sending.onerror = () => reject(new Failure("The file did not arrive. Is Footnote still running?"));
    sending.send(file);
  });
}

// Call a function through gradio's queue. Yields {place} while others are before it, then {value}
// for each value that it gives; aborting the signal ends it there and here.
export async function* call(name, data, signal) {
  const stream = crypto.getRandomValues(new Uint32Array(4)).join("");
  const index = functions[name];
  const joined = await (await post("gradio_api/queue/join", { data, fn_index: index, session_hash: stream })).json();
  const cancel = () =>
    post("gradio_api/cancel", { session_hash: stream, fn_index: index, event_id: joined.event_id }).catch(() => {});
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel(); // meanwhile
  try {
    const response = await ask(`gradio_api/queue/data?session_hash=${stream}`, { signal });
    let value;
    for await (const message of messages(response.body)) {
      if (message.msg === "estimation") yield { place: message.rank };
      else if (message.msg === "process_starts") yield { place: -1 };
      else if (message.msg === "process_generating" && message.success) {
        const [piece] = message.output.data;
        // The first value comes whole, later ones as what changed in it.
        value = value === undefined ? piece : piece.reduce(edited, structuredClone(value));
        yield { value };
      } else if (message.msg === "process_completed") {
        if (!message.success) throw new Failure(message.output?.error ?? "It could not be done. Try again.");
        return;
      } else if (message.msg === "unexpected_error" || message.msg === "process_generating") {
        throw new Failure("Footnote stopped while answering. Start it again, then retry.");
      }
    }
    if (!signal?.aborted) throw new Failure("The connection broke off. Try again.");
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

async function* messages(body) {
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
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
  }
}

// One of gradio's edits: [what is done, the path to where, with what].
function edited(value, [act, path, by]) {
  if (!path.length) return act === "append" ? value + by : by;
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce((node, step) => node[step], value);
  if (act === "append") parent[last] += by;
  else if (act === "replace") parent[last] = by;
  else if (act === "add") Array.isArray(parent) ? parent.splice(last, 0, by) : (parent[last] = by);
  else if (act === "delete") Array.isArray(parent) ? parent.splice(last, 1) : delete parent[last];
  return value;
}
