// What is shown: elements made from answers. Text goes in as text only, never as HTML.

const MOST_PLACES = 3; // of evidence, and of its phrases at each; all of it stands among the sources
const MOST_PHRASES = 2;
const FEW = 6; // choices that stand one by one; more are set closer
const SIGNS = {
  yes: "M5 12.5 10 17.5 19 7.5",
  no: "M6.5 6.5 17.5 17.5M17.5 6.5 6.5 17.5",
  depends: "M12 6v7.5M12 17.2v.6",
  asks: "M8.8 9.2a3.2 3.2 0 1 1 4.6 2.9c-1 .5-1.4 1.1-1.4 2.2M12 17.6v.2",
  silent: "M7 12h10",
};

/** An element with attributes (on…: listeners) and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function sign(look) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[look]);
  svg.append(path);
  return svg;
}

// --- items of the conversation -------------------------------------------------------------------------------

export function questionItem(text) {
  return make("li", { class: "question" }, make("span", { class: "hidden" }, "質問: "), make("p", {}, text));
}

/** What stands in the place of an answer until it is there: `cancel` gives it up, `say(words)` changes the words. */
export function typingItem(cancel) {
  const words = make("span", { role: "status" }, "読み取っています…");
  const dots = make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
  const stop = make("button", { type: "button", class: "quiet", onclick: cancel }, "やめる");
  const item = make("li", { class: "typing" }, dots, words, stop);
  return { item, say: (said) => (words.textContent = said) };
}

/** A message that got no answer; `retry` is null where sending the same again cannot help. */
export function errorItem(text, retry) {
  const button = retry && make("button", { type: "button", class: "choice", onclick: retry }, "もう一度試す");
  return make(
    "li",
    { class: "problem", tabindex: "-1" },
    make("p", {}, text),
    button ? make("div", { class: "offer choices" }, button) : null,
  );
}

/**
 * An answer. `ask(text, value)` is given for the last one only, whose choices and suggestions are still open;
 * `rate(turn, helpful, note)` keeps whether it helped, and resolves to what may be said next, or to null.
 */
export function answerItem(answer, programs, ask, rate = null) {
  const { said, note } = partsOf(answer);
  const card = make(
    "article",
    { class: "card" },
    headlines(answer.headlines),
    make("div", { class: "said" }, ...said.split("\n").filter(Boolean).map(sayingLine)),
    ...evidence(answer.rulings, programs),
    answer.citations.length ? make("div", { class: "card-foot" }, sources(answer.citations), copyButton(answer)) : null,
    note ? make("p", { class: "basis" }, note) : null,
  );
  const item = make("li", { class: "answer", tabindex: "-1" }, make("span", { class: "hidden" }, "回答: "), card);
  if (ask && answer.choices.length) item.append(choiceButtons(answer.choices, ask));
  if (ask && answer.suggestions.length) item.append(suggestionChips(answer.suggestions, ask));
  if (rate && isRateable(answer)) item.append(feedback(answer, rate, ask));
  return item;
}

/** What an official has written to the asker. */
export function replyItem({ reply, number, question, suggestions }, ask) {
  const title = { answer: "職員からの回答", return: "職員からの連絡", correction: "以前のお答えの訂正" }[reply.kind];
  const card = make(
    "article",
    { class: "card staff" },
    make("p", { class: "staff-title" }, title, number ? make("small", {}, `受付番号${number}`) : null),
    make("p", { class: "staff-question" }, `ご質問: ${question}`),
    make("div", { class: "said" }, ...reply.text.split("\n").filter(Boolean).map(sayingLine)),
    make("p", { class: "basis" }, reply.signed),
    reply.kind === "answer" ? make("p", {}, "解決しましたか。") : null,
  );
  const item = make("li", { class: "answer", tabindex: "-1" }, card);
  if (suggestions.length) item.append(suggestionChips(suggestions, ask));
  return item;
}

/** The programs, each with a button that begins its eligibility check. */
export function programItems(programs, check) {
  return programs.map((program) => {
    const button = { type: "button", class: "chip", "aria-label": `${program.name}の対象チェック`, onclick: () => check(program) };
    return make(
      "li",
      {},
      make("strong", {}, program.name),
      make("span", {}, program.summary),
      make("button", button, "対象チェック"),
    );
  });
}

/** A fixed sentence is not rated. */
function isRateable({ status, citations, turn }) {
  return Boolean(turn) && (status === "unknown" || (status === "answered" && citations.length > 0));
}

/** Whether it helped; where it did not, what was wrong may be written. People may be asked in any case. */
function feedback({ turn, staff, suggestions }, rate, ask) {
  const place = make("div", { class: "feedback", role: "group", "aria-label": "この回答は役に立ちましたか" });
  const say = (words) => place.replaceChildren(make("p", { role: "status" }, words));
  const tap = async (helpful) => {
    const offered = await rate(turn, helpful);
    if (!offered) return say("送れませんでした。");
    say("ご意見をありがとうございます。");
    if (helpful) return;
    const note = make("input", { type: "text", maxlength: "1000", "aria-label": "どこが違ったか", placeholder: "どこが違いましたか(なくてもかまいません)" });
    const send = async (event) => {
      event.preventDefault();
      if (note.value.trim() && (await rate(turn, false, note.value))) form.replaceWith(make("p", { role: "status" }, "受け取りました。"));
    };
    const form = make("form", { onsubmit: send }, note, make("button", { class: "quiet" }, "送る"));
    place.append(form);
    if (ask && offered.length) place.append(suggestionChips(offered, ask));
  };
  place.append(
    make("button", { type: "button", class: "quiet", onclick: () => tap(true) }, "役に立った"),
    make("button", { type: "button", class: "quiet", onclick: () => tap(false) }, "役に立たない"),
  );
  if (ask && staff && !suggestions.includes(staff)) {
    place.append(make("button", { type: "button", class: "quiet offer", onclick: () => ask(staff) }, staff));
  }
  return place;
}

// --- parts of an answer --------------------------------------------------------------------------------------

/** An answer's text ends in a line of sources, which are shown as a list here, and the year that it rests on. */
function partsOf(answer) {
  const [said, tail] = answer.text.split("\n\n出典: ");
  if (tail === undefined || !answer.citations.length) return { said: answer.text, note: "" };
  return { said, note: tail.split("\n").slice(1).join("") };
}

const JAPANESE = /[ぁ-ゖァ-ヺ]/; // names of programs and bodies, in kanji alone, stand in English lines too
const ENGLISH = /[a-z]+ [a-z]+/;

/** A line of an answer; one that begins with ・ is an item, whose second line starts below the first one's words. */
function sayingLine(line) {
  const language = ENGLISH.test(line) && !JAPANESE.test(line) ? { lang: "en" } : {};
  return make("p", { ...language, ...(line.startsWith("・") ? { class: "item" } : {}) }, line);
}

/** The verdicts and figures of an answer at a glance, each a heading; nothing where there is neither. */
function headlines(shown) {
  if (!shown?.length) return null; // one that this browser has kept from before has none
  return make("div", { class: shown.length > 1 ? "rulings several" : "rulings" }, ...shown.map(headline));
}

function headline({ about, value, verdict, look }) {
  const result = make("span", { class: "ruling-result" });
  if (value) result.append(make("span", { class: "value" }, value));
  if (verdict) result.append(make("span", { class: `badge ${look}` }, sign(look), verdict));
  return make("h2", { class: "ruling" }, about ? make("span", { class: "ruling-of" }, about) : null, result);
}

/** What the rulings rest on: short phrases of the documents, by the place where they stand. */
function evidence(decided, programs) {
  const several = new Set(decided.map((ruling) => ruling.program)).size > 1;
  const places = new Map();
  for (const ruling of decided) {
    const year = ruling.fiscal_year ? `${ruling.fiscal_year}年度の資料` : "資料";
    for (const { place, quote } of ruling.evidence) {
      const where = `${several ? `${programs.get(ruling.program)?.name}・` : ""}${year}「${place}」`;
      places.set(where, (places.get(where) ?? new Set()).add(quote));
    }
  }
  return [...places].slice(0, MOST_PLACES).map(([where, quotes]) =>
    make(
      "figure",
      { class: "evidence" },
      make("figcaption", {}, `根拠: ${where}`),
      ...[...quotes].slice(0, MOST_PHRASES).map((quote) => make("blockquote", {}, `「${quote}」`)),
    ),
  );
}

function sources(citations) {
  if (!citations.length) return null;
  const items = citations.map((citation) =>
    make(
      "li",
      {},
      make("span", { class: "source-place" }, citation.place),
      citation.quote ? make("q", {}, citation.quote) : null,
      make("span", { class: "source-title" }, citation.source, citation.url ? officialLink(citation.url) : null),
    ),
  );
  return make(
    "details",
    { class: "sources" },
    make("summary", {}, `出典を見る(${citations.length})`),
    make("ul", {}, ...items),
  );
}

function officialLink(url) {
  if (!/^https?:\/\//.test(url)) return null;
  return make(
    "a",
    { href: url, target: "_blank", rel: "noopener noreferrer" },
    "公式ページ",
    make("span", { class: "hidden" }, "(新しいタブで開きます)"),
  );
}

function copyButton(answer) {
  const urls = [...new Set(answer.citations.map((citation) => citation.url).filter(Boolean))];
  const button = make("button", { type: "button", class: "quiet copy", "aria-live": "polite" }, "コピー");
  button.addEventListener("click", async () => {
    button.textContent = (await copied([answer.text, ...urls].join("\n"))) ? "コピーしました" : "コピーできません";
    setTimeout(() => (button.textContent = "コピー"), 2000);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed, or not a secure page
  }
}

function choiceButtons(choices, ask) {
  const many = choices.length > FEW ? " many" : "";
  return row(
    { class: `offer choices${many}`, "aria-label": "選んでください" },
    choices.map(({ label, value }) =>
      make("button", { type: "button", class: "choice", onclick: () => ask(label, value) }, label),
    ),
  );
}

function suggestionChips(suggestions, ask) {
  return row(
    { class: "offer chips", "aria-label": "次の質問の例" },
    suggestions.map((text) => make("button", { type: "button", class: "chip", onclick: () => ask(text) }, text)),
  );
}

/** Buttons that the Tab key takes as one, the first of them; the arrow keys go from one to the next. */
function row(attributes, buttons) {
  buttons.slice(1).forEach((button) => button.setAttribute("tabindex", "-1"));
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const move = (event) => {
    const place = buttons.indexOf(event.target);
    const next = { Home: 0, End: buttons.length - 1 }[event.key] ?? place + step[event.key];
    if (place < 0 || !buttons[next]) return;
    event.preventDefault();
    buttons[next].focus();
  };
  return make("div", { ...attributes, role: "toolbar", onkeydown: move }, ...buttons);
}
