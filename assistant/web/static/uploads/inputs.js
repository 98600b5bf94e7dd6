// The ways to add documents: files, a folder, a text, an address; and what is dropped on the page.

import { $, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { add, addAddress, active, there } from "../shared/api.js";
import { tab } from "../shared/storage.js";
import { say } from "../shared/i18n.js";
/** @import { UploadQueue } from "./queue.js" */
/** @import { Key, Wanted } from "../../types.js" */

const IGNORED = /^(\.|~\$|thumbs\.db$|desktop\.ini$)/i; // what systems put beside people's files
const PASTED = "footnote/pasted"; // under which a text is kept that is not added yet
const NAME_WORDS = 6; // of a text that are its name
const MAX_BEGINNING = 500; // characters in which these are looked for
const MAX_PASTED = 20_000; // characters that a field shows without a delay

// Each goes to the notebook that is open when it is chosen.
/** @param {File} file @param {string} [folder] where it lies in a folder */
export function wantedFile(file, folder = "") {
  const where = { folder, notebook: active.notebook };
  return withPictures((ocr) => ({
    name: file.name,
    bytes: file.size,
    there: (name) => there(name, folder),
    begin: (signal, name) => add(file, signal, { ...where, ocr }, name),
  }));
}

// A text that somebody has written, called by its first words.
/** @param {string} text @returns {Wanted} */
export function wantedText(text) {
  const beginning = (text.slice(0, MAX_BEGINNING).match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, NAME_WORDS).join(" ").slice(0, 60) || say("ways.text.name");
  const isMarkdown = /^#{1,6} \S|^[-*] \S|\]\(/m.test(text.slice(0, MAX_PASTED));
  return { ...wantedFile(new File([text], `${beginning}.${isMarkdown ? "md" : "txt"}`)), text };
}

// Take a long text that is pasted into a field, which would be slow to show it.
/** @param {HTMLElement} field @param {number} maximum characters that it shows @param {(text: string) => unknown} take */
export function onPastedText(field, maximum, take) {
  field.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.length <= maximum || !app.notebooks.mayWrite) return;
    event.preventDefault();
    take(text);
  });
}

// What is wanted, at first without its pictures.
/** @param {(ocr: boolean) => Wanted} wanted @returns {Wanted} */
const withPictures = (wanted) => ({ ...wanted(false), pictures: { ...wanted(true), ocr: true } });

/** @param {string} path */
const folderOf = (path) => path.split("/").filter(Boolean).slice(0, -1).join("/");

// Not those that are hidden, or lie in a hidden folder.
/** @param {{ file: File, path: string }[]} found */
const wantedFiles = (found) => found.filter(({ file, path }) => ![...path.split("/"), file.name].some((part) => IGNORED.test(part))).map(({ file, path }) => wantedFile(file, folderOf(path)));

/** @param {string} written @returns {Wanted} */
export function wantedAddress(written) {
  const value = /^https?:/i.test(written) ? written : `https://${written}`;
  const { notebook } = active;
  return withPictures((ocr) => ({ name: value, begin: (signal) => addAddress(value, signal, { notebook, ocr }) }));
}

// Where one chooses what to add.
/** @param {UploadQueue} uploads @param {boolean} fetch whether addresses may be added @param {string} [id] of the field for files */
export function ways(uploads, fetch, id) {
  const files = picker("ways.files", { id }, (chosen) => chosen.map((file) => wantedFile(file)));
  const folder = "webkitdirectory" in HTMLInputElement.prototype && picker("ways.folder", { webkitdirectory: true }, (chosen) => wantedFiles(chosen.map((file) => ({ file, path: file.webkitRelativePath }))));
  const text = h("textarea", { rows: "5", required: true, "aria-label": say("ways.text.label"), placeholder: say("ways.text.label"), dir: "auto" });
  text.value = tab.get(PASTED) ?? "";
  text.addEventListener("input", () => tab.set(PASTED, text.value));
  onPastedText(text, MAX_PASTED, (long) => {
    uploads.add([wantedText(long)]);
    pasted.open = false;
    toast(say("question.pasted"));
  });
  const pasted = form("ways.text", text, () => {
    tab.remove(PASTED);
    return wantedText(text.value);
  });
  const address = h("input", { type: "text", inputmode: "url", required: true, "aria-label": say("ways.address.label"), placeholder: say("ways.address.label") });
  const fetched = fetch && form("ways.address", address, () => wantedAddress(address.value.trim()));
  return h("div", { class: "ways" }, files, folder, pasted, fetched);

  /** @param {Key} key @param {Record<string, string | boolean | undefined>} how @param {(chosen: File[]) => Wanted[]} wanted */
  function picker(key, how, wanted) {
    const input = h("input", { type: "file", multiple: true, class: "unseen", ...how, onchange: () => {
      uploads.add(wanted([...(input.files ?? [])]));
      input.value = "";
    } });
    return h("label", { class: "way" }, input, h("span", {}, say(key)));
  }

  /** @param {Key} key @param {HTMLInputElement | HTMLTextAreaElement} field @param {() => Wanted} wanted */
  function form(key, field, wanted) {
    const body = h("form", {}, field, h("button", { type: "submit", class: "wide" }, say("ways.add")));
    const element = opening(key, body);
    element.addEventListener("toggle", () => element.open && field.focus());
    body.addEventListener("submit", () => {
      if (!field.value.trim()) {
        field.value = "";
        return void body.reportValidity();
      }
      uploads.add([wanted()]);
      field.value = "";
      element.open = false;
      element.querySelector("summary")?.focus();
    });
    return element;
  }
}

// One of several that are opened in turn.
/** @param {Key} key @param {HTMLElement[]} body */
const opening = (key, ...body) => h("details", { name: "ways" }, h("summary", { class: "way" }, say(key)), h("div", {}, ...body));

// Let files and folders be dropped anywhere on the page, where that may be.
/** @param {UploadQueue} uploads */
export function droppable(uploads) {
  const cover = $("dropping");
  /** @param {DragEvent} event */
  const holds = (event) => event.dataTransfer?.types.includes("Files") && app.notebooks.mayWrite;
  addEventListener("dragenter", (event) => holds(event) && (cover.hidden = false));
  addEventListener("dragleave", (event) => event.relatedTarget || (cover.hidden = true)); // off the page
  addEventListener("dragover", (event) => holds(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    cover.hidden = true;
    if (!holds(event)) return;
    event.preventDefault();
    // All have to be taken before anything is waited for.
    const found = [...(event.dataTransfer?.items ?? [])].map((item) => dropped(item.getAsFile(), item.webkitGetAsEntry()));
    void Promise.all(found).then((files) => uploads.add(wantedFiles(files.flat())));
  });
}

/** @param {File | null} file @param {FileSystemEntry | null} entry */
async function dropped(file, entry) {
  if (entry?.isDirectory) return filesIn(entry);
  return file ? [{ file, path: "" }] : [];
}

// A toast names what cannot be read; the rest is added.
/** @param {FileSystemEntry} entry @returns {Promise<{ file: File, path: string }[]>} */
const filesIn = (entry) => allIn(entry).catch(() => {
  toast(say("ways.unreadable", { name: entry.name }));
  return [];
});

/** @param {FileSystemEntry} entry @returns {Promise<{ file: File, path: string }[]>} */
async function allIn(entry) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((done, failed) => /** @type {FileSystemFileEntry} */ (entry).file(done, failed));
    return [{ file, path: entry.fullPath }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  while (true) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // a hundred at a time
    if (!some.length) return (await Promise.all(found.map(filesIn))).flat();
    found.push(...some);
  }
}
