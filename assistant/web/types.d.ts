// The values that flow through the page. Those that the server tells have the names that values.py and
// routes.py give them.

// --- what the server tells ------------------------------------------------------------------------

export type Verdict = "quoted" | "supported" | "unconfirmed" | "unsupported" | "own";
export type AnswerKind = "fact" | "overview" | "list" | "comparison" | "where" | "chat";
export type Status = "answered" | "unsure" | "refused";
export type Outcome = "written" | "declined" | "unproved" | "failed" | "untrusted";
export type Checked = "passed" | "failed" | "unchecked";

// A place in a document. Offsets count characters of the document's text, as Python does.
export interface Citation {
  marker: number; // 0: not part of an answer
  document: string; // its title
  document_id: string;
  source?: string; // the name of its file; a conversation kept by an older page lacks it
  heading: string[]; // outermost first
  paragraph: number;
  page: number | null;
  locator?: string; // likewise
  rectangles?: Rectangle[]; // likewise
  start: number;
  end: number;
  quote: string;
  paragraph_start: number;
  paragraph_end: number;
  paragraph_text: string;
  paragraph_kind?: "prose" | "list" | "row" | "lines" | "contents"; // likewise
  link?: string; // what opens it in Obsidian; likewise
  introduction?: string; // of the list that it is of; likewise
  uncertain?: boolean; // it was read from a picture, and not surely; likewise
}

export interface Sentence {
  text: string;
  verdict: Verdict;
  markers: number[];
  conflicts?: string[]; // a conversation kept by an older page may lack them
  item?: boolean; // of a list; likewise
  about?: string; // the one of the things compared that it is about; likewise
}

// What a language model had to do with an answer.
export interface Writing {
  model: string; // its name
  check: Checked;
  outcome: Outcome;
  passages: number; // that it was given to read
  searches: string[]; // what it had looked up besides
}

export interface Answer {
  id?: string; // by which the server keeps it; nothing where it could not
  kind?: AnswerKind; // likewise lacking: then it is of a fact
  question: string;
  standalone_question: string;
  context?: string; // the question before, where it leans on that; likewise lacking
  status?: Status; // a conversation kept by an older page lacks it, and is never unsure
  refused: boolean;
  confidence: number | null; // 0..1; null where a language model has decided
  text: string;
  sentences: Sentence[];
  citations: Citation[];
  closest: Citation[]; // where it is answered: the next passages that may answer too
  unanswered: string[];
  undecided?: string[]; // likewise
  dropped: number;
  note: string | null;
  writing?: Writing | null; // likewise lacking
  timings_ms?: Record<string, number>; // may be lacking as well
}

// What is known of an answer before it is whole; what its sentences will be, as soon as there are any.
export interface Found {
  standalone: string; // the question as it was understood
  sources: Citation[];
  status?: Status;
  confidence?: number | null;
  kind?: AnswerKind;
  sentences: Sentence[];
  citations: Citation[];
}

// Passages beyond those that are shown, and what was searched for instead of the question, if anything.
export interface MorePassages {
  searches: string[];
  passages: Citation[];
}

// What comes of a question or of a file that is added, event by event; the last is `done` or `failed`.
interface Events {
  waiting: { before: number }; // so many others
  sources: { standalone: string; sources: Citation[]; passages: number; model: string };
  looked_again: { searches: string[] };
  decided: { status: Status; confidence: number | null; kind: AnswerKind };
  sentence: { sentence: Sentence; citations: Citation[] };
  instead: { questions: string[] }; // that are answered
  progress: { done: number; total: number; unit: "paragraphs" | "pages" };
  done: Answer | Listed;
  failed: Problem & { status: number; request_id: string | null };
}

export type ServerEvent = { [Name in keyof Events]: { name: Name; value: Events[Name] } }[keyof Events];

// Why something was not done; `code`: its kind, of which the page may say it itself, with `values`.
export interface Problem {
  detail: string;
  code?: string | null;
  values?: Record<string, string | number>;
}

// A document in the list of documents.
export interface Listed {
  id: string;
  title: string;
  name: string; // of its file
  paragraphs: number;
  own: boolean; // this browser added it
  kept: boolean;
  sample: boolean; // it comes with Footnote, to try it
  language: string; // its ISO 639-1 code
  authors: string[]; // as far as it says
  date: string; // 2022, 2022-03 or 2022-03-07; or nothing
  address: string; // where on the web it was published; or nothing
  link: string; // what opens it in Obsidian; or nothing
  added: string; // when it first came into the index, in UTC; nothing where that is not known
  bytes: number; // of its file; 0 where that is not known
  pages: number; // or slides; 0 where it has none
  folder: string; // where it lies in a folder that was added; or nothing
  unread: number; // of its pages or pictures, which may hold text
}

// What became of a file of a followed folder.
export interface Change {
  number: number;
  what: "added" | "changed" | "moved" | "removed" | "unread";
  name: string;
  document: string; // its id
  reason: string; // this and the next two: see Problem
  code: string | null;
  values: Record<string, string | number>;
  time: string;
}

export interface Unread {
  name: string;
  reason: string; // this and the next two: see Problem
  code: string;
  values: Record<string, string | number>;
}

export interface Folder {
  watched: boolean;
  last: number; // the number of the last change
  changes: Change[];
  unread: Unread[];
}

// What may write the answers.
export interface Writers {
  set: string | null; // the name of the language model that is set
  check: Checked | null; // of that
  offered: Offered[];
  missing: string | null; // the command that installs what is missing before one of those can write
}

export interface Offered {
  llm: string; // what it is asked for by
  name: string;
  server: string;
  check: Checked;
}

// A place on a page, from 1, in points from its top left corner.
export interface Rectangle {
  page: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

// A word as it is printed; offsets into the document's text.
export interface Word {
  text: string;
  start: number;
  end: number;
  place: Rectangle;
}

// In points; `label`: what is printed on it as its number.
export interface PageSize {
  width: number;
  height: number;
  label: string;
}

export interface Paragraph {
  number: number;
  heading: string[];
  page: number | null;
  locator: string; // "" where the headings have to do
  kind: "prose" | "list" | "row" | "lines" | "contents";
  uncertain: boolean; // it was read from a picture, and not surely
  start: number;
  text: string;
}

// A document to read.
export interface Whole {
  id: string;
  title: string;
  pages: PageSize[]; // none of a document that is only text
  paragraphs: Paragraph[];
}

// Whether what stands in pictures is read: always, where somebody wants it, or never, since what reads
// it is not installed.
export type Pictures = "always" | "offered" | "missing";

// Where words stand in documents, in those first that have them most often.
export interface Everywhere {
  documents: { id: string; title: string; hits: number; places: FoundPlace[] }[];
  more: boolean; // others have them too
}

// A paragraph that has words, or a heading above it; offsets are of `text`, as Python counts.
export interface FoundPlace {
  paragraph: number;
  locator: string; // "" where it has none
  text: string;
  start: number; // of the words
  end: number;
}

export interface Session {
  user: string | null;
  fetch: boolean;
  pictures: Pictures;
  documents: Listed[];
}

// Questions to begin with, and the main headings of a document, each with the first paragraph under it.
export interface Guide {
  questions: string[];
  headings: { title: string; number: number }[];
}

// A named set of documents.
export interface Notebook {
  id: string;
  name: string;
  role: "own" | "write" | "read"; // what this reader may
  owner: string; // the login of its owner
  shared: Record<string, "read" | "write">; // by login; only its owner is told
  documents: string[]; // their ids
  created: number; // seconds since 1970
}

// A conversation in a list.
export interface Listing {
  id: string;
  title: string;
  named: boolean; // by its reader
  notebook: string | null;
  mine: boolean; // this reader may change it
  by: string; // the login of who began it
  updated: number; // milliseconds since 1970
  pinned: boolean;
}

// A question that has what was sought, or whose answer does.
export interface SearchHit {
  conversation: Listing;
  turn: string;
  question: string;
  text: string; // the sentence that has it, or the question
  uncertain: boolean; // it cites what was read from a picture, and not surely
}

export interface KeptConversation extends Listing {
  turns: Turn[];
}

// What somebody keeps: an answer, or a place in a document.
export interface Note {
  id: string;
  kind: "answer" | "highlight";
  text: string; // what its reader notes
  created: number; // milliseconds since 1970
  conversation?: string; // where the answer was given
  turn?: string;
  answer?: Answer;
  citation?: Citation; // the place
  noted?: string[] | undefined; // names of the passages of the answer that answer for its reader
}

// Where a quote stands in its document as that is now, or its paragraph where that reads otherwise.
export interface PlaceNow {
  standing: "there" | "changed" | "gone";
  paragraph: number | null;
  start: number | null;
  end: number | null;
  document: string; // its title now; this and the next are of where that paragraph is
  heading: string[];
  locator: string;
  uncertain: boolean;
}

export interface Noted {
  note: Note;
  by: string; // the login of who keeps it
  mine: boolean;
  now: PlaceNow[]; // of each citation
}

// --- what it is told ------------------------------------------------------------------------------

export interface Said {
  role: "user" | "assistant";
  content: string;
}

export type Thumb = "up" | "down";

// What is wrong with an answer: it is false, answers another question, lacks something, cites badly.
export type Reason = "wrong" | "other" | "incomplete" | "source";

// The same in its reader's words as well.
export interface Why {
  reason: Reason | null;
  comment: string;
}

// Where a citation stands; `document`: its id.
export type Placed = Pick<Citation, "marker" | "document" | "paragraph" | "start" | "end">;

export interface Vote {
  verdict: Thumb | "none" | null; // nothing that is shown answers; what was said is taken back
  question: string;
  history: Said[];
  status: Status;
  confidence: number | null;
  sentences: Sentence[];
  citations: Placed[];
  chosen: Placed[]; // the passages that answer it
  reason: Reason | null;
  comment: string;
}

export interface Question {
  question: string;
  history: Said[];
  documents: string[] | null; // null: all
  notebook: string | null; // of which these are
  llm: string | null; // what writes: null is what is set
  section: string | null; // the heading of the part that it is about
}

// --- what the browser keeps -----------------------------------------------------------------------

// What a question is about, of one document: a paragraph, or what was selected in it; or a part or the
// whole of it, which has no number and no text.
export interface About {
  document: string; // its id
  title: string;
  number: number;
  text: string;
}

// A question and what became of it. `sentences` and `citations` are in `answer` once there is one.
export interface Turn extends Partial<Found> {
  id: string;
  asked?: number; // milliseconds since 1970; a turn of an older page lacks it
  question: string;
  about?: About | undefined;
  alone?: boolean | undefined; // it was offered, and takes nothing from the conversation
  within?: string[] | undefined; // ids of the documents that it is for, whatever is asked otherwise
  state: Status | "pending" | "failed" | "stopped";
  documents?: string[]; // ids of those that were asked
  place?: number; // in the queue
  model?: string; // the name of the language model that reads, while it does
  passages?: number; // that it reads, likewise
  searches?: string[]; // what it has looked up last, likewise
  answer?: Answer;
  instead?: string[]; // questions that are answered
  further?: MorePassages[]; // found besides, in that order; nothing at all: there is no more
  failure?: string;
  request?: string | undefined; // that failed, as the server's log names it
  vote?: Thumb | undefined;
  noted?: string[] | undefined; // names of the passages that answer it; none: none of them does
}

export interface Conversation {
  id: string;
  title: string;
  named: boolean; // by its reader
  updated: number; // milliseconds since 1970
  notebook?: string | null; // that it is in; one that waits from an older page lacks it
  mine?: boolean; // this reader may change it; so for one that is new
  turns: Turn[];
}

// --- what its parts ask of each other -------------------------------------------------------------

// Characters of a text to mark. Offsets count characters as Python does.
export interface Span {
  start: number;
  end: number;
  key: string | number;
  chosen?: boolean | undefined;
  own?: boolean | undefined; // its reader has highlighted it, as the note of this key
}

// How a question is asked: about a paragraph, apart from the conversation, in some documents only.
export type How = Pick<Turn, "about" | "alone" | "within">;

// Something that was deleted and can be had back.
export interface Deleted {
  kind: "document" | "conversation" | "notebook" | "note";
  id: string;
  title: string;
  uncertain: boolean; // it was read from a picture, and not surely
  notebook: string | null; // that it is in, or that a document was taken out of
  deleted: number; // milliseconds since 1970
}

// What another tab has changed.
export interface News {
  what: "conversation" | "deleted" | "notes" | "documents";
  id?: string; // of the conversation that has changed or was deleted
}

// What the page is made of, of each of which there is one.
export interface App {
  store: import("./static/conversations/store.js").Store;
  noteStore: import("./static/notes/store.js").NoteStore;
  reader: import("./static/reading/reader.js").Reader;
  notebooks: import("./static/notebooks/notebooks.js").Notebooks;
  library: import("./static/documents/library.js").Library;
  models: import("./static/chat/models.js").ModelChoice;
  chat: import("./static/chat/chat.js").Chat;
  navigation: import("./static/notebooks/navigation.js").Navigation;
  history: import("./static/conversations/history.js").History;
  notes: import("./static/notes/notes.js").Notes;
  welcome: import("./static/chat/welcome.js").Welcome;
}

// The page and the paragraph that are seen in a document, from 1.
export interface Seen {
  page: number;
  number: number;
}

// What is to be added, or what is there and whose pictures are to be read. `begin` does it, and
// gives the events of its indexing.
export interface Wanted {
  name: string;
  id?: string; // of the document that is there
  ocr?: boolean; // its pictures are read
  pictures?: Wanted; // the same with its pictures read
  bytes?: number; // of a file
  text?: string; // that somebody has pasted, which takes the place of nothing
  there?(name: string): Promise<Listed | null>; // what it would take the place of under that name
  begin(signal: AbortSignal, name: string): AsyncGenerator<ServerEvent, void>;
}

// --- words ---------------------------------------------------------------------------------------

// What the page can say, by the keys of the English file.
export type Key = keyof typeof import("./static/words/en.json");

// Of a sentence that counts something: its forms, as Intl.PluralRules names them.
export type Forms = { other: string } & { [Form in Intl.LDMLPluralRule]?: string };

export type Words = Record<Key, string | Forms>;

// --- elements -------------------------------------------------------------------------------------

export type Child = Node | string | false | null | undefined;

// What an element is made with: attributes, listeners (`on…`) and `dataset`.
export interface Properties {
  dataset?: Record<string, string | number>;
  [name: string]: string | number | boolean | null | undefined | ((event: Event) => unknown) | Record<string, string | number>;
}

// What page.html has a picture of.
export type Icon = "share" | "keep" | "pin" | "copy" | "retry" | "edit" | "up" | "down" | "export" | "trash" | "out" | "dots";

export type ElementOf<Tag extends string> = Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : HTMLElement;

// The elements of page.html of which more is asked than of any element.
interface Elements {
  files: HTMLInputElement;
  "find-all": HTMLButtonElement;
  "adding-bar": HTMLProgressElement;
  "find-back": HTMLButtonElement;
  "find-on": HTMLButtonElement;
  "find-text": HTMLInputElement;
  history: HTMLDialogElement;
  icons: HTMLTemplateElement;
  language: HTMLSelectElement;
  larger: HTMLButtonElement;
  library: HTMLDialogElement;
  "library-order": HTMLSelectElement;
  "library-search": HTMLInputElement;
  "notebook-selected": HTMLSelectElement;
  "add-notebook": HTMLFormElement;
  "history-find": HTMLInputElement;
  keys: HTMLDialogElement;
  "notebook-name": HTMLInputElement;
  notebooks: HTMLDialogElement;
  notes: HTMLDialogElement;
  "open-reader": HTMLButtonElement;
  "place-number": HTMLInputElement;
  question: HTMLTextAreaElement;
  send: HTMLButtonElement;
  settings: HTMLDialogElement;
  theme: HTMLSelectElement;
  reader: HTMLDialogElement;
  "reader-choice": HTMLSelectElement;
  smaller: HTMLButtonElement;
  writing: HTMLSelectElement;
}

export type ElementById<Id extends string> = Id extends keyof Elements ? Elements[Id] : HTMLElement;
