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
  return {
    ask,
    turns: () => [...document.querySelectorAll(".turn")].map(turn),
    begin: () => document.getElementById("new").click(),
    conversation: async () => (await app()).chat.conversation.id,
    // What stands in the document when a source or a passage of a turn is followed.
    follow: async (at, source) => {
      const element = [...document.querySelectorAll(".turn")].at(at);
      element.querySelectorAll(".card .go")[source].click();
      await pause();
      return reader();
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
  };
})();
