// Asks questions by the page's own code, and reads what stands on it: nothing here knows what should.

window.shown = (() => {
  const PATIENCE = 900_000; // milliseconds
  const text = (element) => element?.textContent ?? null;
  const visible = (element) => element && !element.closest("[hidden]");
  const all = (root, selector) => [...root.querySelectorAll(selector)].filter(visible);
  const marks = (root) => all(root, "mark").map((mark) => [mark.dataset.keys, text(mark)]);
  // What is said, and whether a doubt stands behind it.
  const flagged = (element) => ({
    said: [...element.childNodes].filter((node) => node.className !== "flag").map(text).join(""),
    doubt: Boolean(element.querySelector(":scope > .flag")),
  });
  const card = (element) => {
    const more = all(element, "footer > .more").find((one) => one.hasAttribute("aria-expanded"));
    const [excerpt, lit] = [text(element.querySelector(".paragraph")), marks(element)];
    more?.click();
    const [whole, litInWhole] = [text(element.querySelector(".paragraph")), marks(element)];
    more?.click();
    return {
      ...flagged(element.querySelector(".go")), excerpt, lit, whole, litInWhole,
      keys: all(element, ".key").map(text), isCut: Boolean(more),
      introduction: text(element.querySelector(".introduction")),
      passage: element.dataset.passage ?? null,
      size: [element.getAttribute("aria-posinset"), element.getAttribute("aria-setsize")],
      isNoted: all(element, ".noted").some((noted) => getComputedStyle(noted).display !== "none"),
    };
  };
  const sentence = (element) => {
    const point = element.parentElement;
    let heading = null; // that it stands under
    for (let one = point; one && heading === null; one = one.previousElementSibling) {
      if (one.matches(".under")) heading = text(one);
      if (one.matches(".running")) break;
    }
    const isPoint = point.matches(".point");
    const columns = all(point.closest(".compared") ?? element, ".column");
    return {
      words: text(element.querySelector(".words")), verdict: element.dataset.verdict, isPoint,
      heading: isPoint ? heading : null, column: columns.indexOf(point.closest(".column")),
      unseen: all(element, ":scope > .unseen").map(text),
      markers: all(element, ".marker").map((one) => [text(one), one.getAttribute("aria-label")]),
    };
  };
  // Those that are marked stand on top.
  const passages = (element) => {
    const place = (one) => Number(one.getAttribute("aria-posinset"));
    const cards = element && [...element.closest(".turn").querySelectorAll(".marked > .card"), ...element.querySelectorAll(".card")];
    return element && {
      heading: text(element.querySelector("h3")),
      cards: cards.sort((one, other) => place(one) - place(other)).map(card),
    };
  };
  const turn = (element) => ({
    question: text(element.querySelector(".question")), about: all(element, ".about").map(text).join(""),
    head: all(element, ".state").map((one) => [text(one.firstChild), text(one.querySelector(".confidence")), one.querySelector(".confidence")?.title ?? null]),
    state: element.dataset.state,
    read: visible(element.querySelector(".stage")) ? text(element.querySelector(".stage > span")) : null,
    places: all(element, ".stage .place").map((one) => ({
      of: text(one.querySelector(".of")), said: text(one.lastChild), path: one.title,
    })),
    sentences: all(element, ".answer .sentence").map(sentence),
    // What is said of the answer, and how long it took.
    below: all(element, ".head > p, .after > p:not(.since), .after > .failure").map((one) => [text(one), one.title]),
    unsure: passages(element.querySelector(".answer > .passages")),
    closest: passages(element.querySelector(".after > .passages")),
    others: text(element.querySelector(".others > summary")),
    sources: all(element, ".sources > .card").map(card),
    heading: text(element.querySelector(".sources > h3")), // of the sources
    offers: all(element, ".offer").map(text),
    offering: text(element.querySelector(".can > h3")), offered: all(element, ".can li").map(text),
    announced: text(document.getElementById("announcer")),
  });
  const script = (path) => import(new URL(`page/${path}.js`, document.baseURI).href);
  const app = async () => (await script("shared/app")).app;
  const pause = (time = 0) => new Promise((go) => setTimeout(go, time));
  // Wait until something is so; `what` it is says who waits in vain.
  const until = async (what, is) => {
    for (const start = Date.now(); !is(); await pause(5)) if (Date.now() - start > PATIENCE) throw new Error(what);
  };
  const settled = async () => {
    const { chat } = await app();
    await until("answered", () => !chat.running.size && document.body.dataset.kept === "true");
    return [...document.querySelectorAll(".turn")].at(-1);
  };
  const ask = async (question, how) => {
    const { chat } = await app();
    chat.ask(question, how);
    return turn(await settled());
  };
  /** @type {HTMLElement} */
  let undo; // what was removed last
  // On which page something is lit up, and where there, in hundredths.
  const light = (one) => [Number(one.closest(".sheet").dataset.page), ...["left", "top", "width", "height"].map((side) => parseFloat(one.style[side]))];
  const frame = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  // What stands in the document, once it has come to rest.
  const reader = async () => {
    const { reader: own } = await app();
    const note = document.getElementById("reader-note");
    await until("read", () => !own.loading && (!note.hidden || document.querySelector("#pages .chosen")));
    await frame();
    await frame();
    await frame();
    const chosen = document.querySelector(".block.chosen");
    return {
      document: own.document?.id ?? null, isPrinted: document.getElementById("pages").matches(".printed"),
      lit: all(document.getElementById("pages"), "mark.chosen").map(text).join(""),
      lights: all(document.getElementById("pages"), ".light.chosen").flatMap(light),
      paragraph: chosen ? Number(chosen.dataset.number) : null,
      citing: chosen && all(chosen, ".citings .citing").map(text), none: text(chosen?.querySelector(".beside > p:not(.acts)")),
      kind: text(document.getElementById("place-kind")), of: text(document.getElementById("place-of")),
      number: document.getElementById("place-number").value,
      note: document.getElementById("reader-note").hidden ? "" : text(document.getElementById("reader-note")),
    };
  };
  // Choose a paragraph of a document; gives it, which is not on the page while pages are.
  const choose = async (id, number) => {
    const { reader: own } = await app();
    await own.show(id);
    own.open();
    own.panel.select(own.blocks.get(number), false);
    return own.blocks.get(number).element;
  };
  return {
    ask,
    turns: () => [...document.querySelectorAll(".turn")].map(turn),
    begin: () => document.getElementById("new").click(),
    conversation: async () => (await app()).chat.conversation.id,
    // What stands in the document when a source or a passage of a turn is followed; of its paragraph
    // then, chosen by its number.
    follow: async (at, source) => {
      const element = [...document.querySelectorAll(".turn")].at(at);
      element.querySelectorAll(".card .go")[source].click();
      await pause();
      return reader();
    },
    choose: async (id, number) => (await choose(id, number), reader()),
    // Ask about a paragraph that is chosen in its document.
    askAbout: async (id, number, question) => {
      (await choose(id, number)).querySelector(".about-this").click();
      document.getElementById("question").value = question;
      document.getElementById("composer").requestSubmit();
      return turn(await settled());
    },
    // Ask a question that a turn offers.
    take: async (at, number) => {
      [...document.querySelectorAll(".turn")].at(at).querySelectorAll(".can .instead")[number].click();
      return turn(await settled());
    },
    // Mark a passage of a turn as its answer, or say that none is.
    mark: async (at, passage) => {
      const element = [...document.querySelectorAll(".turn")].at(at);
      const buttons = [...element.querySelectorAll(".card .judging button")];
      (passage === null ? element.querySelector(".none button") : buttons[passage]).click();
      const { chat } = await app();
      await until("marked", () => chat.conversation.turns.at(at).noted && (passage !== null || chat.conversation.turns.at(at).further));
      await settled();
    },
    // The answers as text with footnotes, as the page copies them.
    copied: async () => {
      const { withFootnotes } = await script("chat/export");
      const { chat } = await app();
      return chat.conversation.turns.map(withFootnotes);
    },
    // Add files, by the page's own code; when all is done.
    added: async (files) => {
      const transfer = new DataTransfer();
      for (const [name, content] of files) transfer.items.add(new File([content], name));
      const input = document.getElementById("files");
      input.files = transfer.files;
      const { library } = await app();
      document.getElementById("toast").hidden = true; // of what was before
      const last = library.uploads.items.at(-1);
      input.dispatchEvent(new Event("change", { bubbles: true }));
      await until("added", () => {
        if (!document.getElementById("adding-replace").hidden) document.getElementById("adding-replace").click();
        return library.uploads.items.at(-1) !== last && !library.uploads.busy;
      });
      await pause();
    },
    keep: async (at) => {
      const { noteStore, chat } = await app();
      const turn = chat.conversation.turns.at(at);
      [...document.querySelectorAll(".turn")].at(at).querySelector(".actions .writes").click();
      await until("kept", () => noteStore.of(turn));
    },
    highlight: async (id, number) => {
      const { noteStore } = await app();
      const before = noteStore.all.length;
      (await choose(id, number)).querySelector(".highlight-this").click();
      await until("highlighted", () => noteStore.all.length > before);
    },
    // Where so many highlights of a document are lit up on its pages, by their quotes.
    highlighted: async (id, count) => {
      const { reader: own } = await app();
      await own.show(id);
      own.open();
      const first = () => all(document.getElementById("pages"), "button.light.own");
      await until("highlights on pages", () => first().length === count);
      return first().map((one) => [one.getAttribute("aria-label"), all(document.getElementById("pages"), `.light.own[data-own="${one.dataset.own}"]`).flatMap(light)]);
    },
    open: async (place) => (await app()).navigation.goTo(place),
    remove: async (id) => {
      const { library } = await app();
      await library.remove(library.documents.filter((one) => one.id === id));
      undo = document.querySelector("#toast button");
      await library.hold();
    },
    restore: async (id) => {
      const { library } = await app();
      undo.click(); // however long ago the toast was
      await until("restored", () => library.documents.some((one) => one.id === id));
      await library.hold();
    },
    library: async () => {
      const shown = (id) => (document.getElementById(id).hidden ? "" : text(document.getElementById(id)));
      const list = (selector) => [...document.querySelectorAll(selector)];
      return {
        documents: list("#documents li:not(.folder)").map((one) => [text(one.querySelector("b")), text(one.querySelector("small"))]),
        count: shown("document-count"), asking: shown("asking"), toast: shown("toast") && text(document.querySelector("#toast span")),
        adding: document.getElementById("adding").hidden ? "" : shown("adding-text"),
        chosen: list("#reader-choice option").map(text),
      };
    },
    notes: async () => {
      const { notes, noteStore } = await app();
      if (!notes.dialog.open) notes.open();
      await noteStore.refresh();
      const found = [...document.querySelectorAll("#note-list > li")].map((one) => ({
        title: text(one.querySelector("h3")), said: all(one, "p").map(text), more: text(one.querySelector("summary")),
        quotes: [...one.querySelectorAll(".quotes > li")].map((quote) => ({
          quote: text(quote.querySelector("q")), place: text(quote.children[1]), standing: text(quote.querySelector(".standing")), isLink: Boolean(quote.querySelector(".go")),
        })),
      }));
      notes.dialog.close();
      return found;
    },
    notebook: async (name, documents) => {
      const { notebooks } = await app();
      const made = await (await script("shared/api")).addNotebook(name, documents);
      await notebooks.refresh();
      return made.id;
    },
    // The notebooks, how many conversations are listed, and the documents that can be restored.
    listed: async () => {
      const { notebooks, history, library } = await app();
      await notebooks.refresh();
      history.open();
      await history.draw();
      const listed = [...document.querySelectorAll("#conversations li")].length;
      history.dialog.close();
      library.open();
      const trash = document.querySelector("#library details.trash");
      trash.open = true;
      await until("listed", () => trash.querySelector("li"));
      const deleted = [...trash.querySelectorAll("li > span")].map((one) => one.firstChild.textContent);
      trash.open = false;
      trash.querySelector("ul").replaceChildren();
      library.dialog.close();
      return {
        notebooks: [...document.querySelectorAll("#notebook-list li")].map((one) => [text(one.querySelector(".name")), text(one.querySelector("small"))]),
        conversations: listed, deleted,
      };
    },
    found: async (words) => {
      const { reader: { search } } = await app();
      const input = document.getElementById("find-text");
      input.value = words;
      input.dispatchEvent(new Event("input"));
      search.fold();
      document.getElementById("find-all").click();
      await until("found", () => !document.getElementById("hits").hidden);
      return [text(document.querySelector("#hits p")), [...document.querySelectorAll("#hits > ul > li")].map((one) => [
        text(one.querySelector("span")), text(one.querySelector(".count")),
        all(one, ":scope > ul button").map((place) => [text(place.querySelector("mark")), text(place.querySelector("span")), text(place.querySelector(".count"))]),
      ]), text(document.getElementById("find-count"))];
    },
    // What is told of the quotes of each turn that do not stand any more.
    lapsed: async () => {
      const { library } = await app();
      await library.hold();
      return [...document.querySelectorAll(".turn")].map((one) => text(one.querySelector(".since")));
    },
    // A file of the conversation, in base 64.
    exported: async (id, format) => {
      const { exportOf } = await script("shared/api");
      const answer = await fetch(exportOf(`conversations/${id}`, format));
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    },
  };
})();
