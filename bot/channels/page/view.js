// What is shown: elements made from answers. Text goes in as text only, never as HTML.

const SUBJECTS = {
  eligibility: "対象になるか",
  cap: "上限",
  budget: "全体の予算",
  cost: "費用の負担",
  duration: "支援の期間",
  calls_per_year: "公募の回数",
  window: "募集の期間",
  deadline: "締切",
  report_due: "報告書の期限",
  questionnaire: "アンケート",
  repeat: "もう一度の申請",
  financial_strength_index_limit: "財政力指数の条件",
};
const VERDICTS = {
  eligible: { badge: "対象", cap: "範囲内", window: "募集期間内", repeat: "申請できます", look: "yes" },
  ineligible: { badge: "対象外", cap: "上限を超えます", window: "募集期間外", repeat: "申請できません", look: "no" },
  conditional: { badge: "条件付き", window: "原則、募集期間内", look: "depends" },
};
const OUTCOMES = {
  needs_facts: { badge: "確認が必要", look: "asks" },
  not_stated: { badge: "記載なし", look: "silent" },
};
const STATUSES = {
  needs_info: { badge: "確認が必要", look: "asks" },
  unknown: { badge: "資料に記載なし", look: "silent" },
};
const ABOUT = new Set(["budget", "duration"]); // the documents say 程度
const MOST_PLACES = 3; // of evidence, and of its phrases at each; all of it stands among the sources
const MOST_PHRASES = 2;
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

export function typingItem() {
  const dots = make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
  return make("li", { class: "typing" }, dots, make("span", { class: "hidden" }, "読み取っています"));
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
    rulings(answer.rulings, programs) ?? statusLine(answer.status),
    make("div", { class: "said" }, ...said.split("\n").filter(Boolean).map(sayingLine)),
    ...evidence(answer.rulings, programs),
    answer.citations.length ? make("div", { class: "card-foot" }, sources(answer.citations), copyButton(answer)) : null,
    note ? make("p", { class: "basis" }, note) : null,
  );
  const item = make("li", { class: "answer", tabindex: "-1" }, make("span", { class: "hidden" }, "回答: "), card);
  if (ask && answer.choices.length) item.append(choiceButtons(answer.choices, ask));
  if (ask && answer.suggestions.length) item.append(suggestionChips(answer.suggestions, ask));
  if (rate && isRateable(answer)) item.append(feedback(answer.turn, rate, ask));
  return item;
}

/** What an official has written to the asker. */
export function replyItem({ reply, number, question, suggestions }, ask) {
  const title = reply.kind === "answer" ? "職員からの回答" : "職員からの連絡";
  const card = make(
    "article",
    { class: "card staff" },
    make("p", { class: "staff-title" }, title, make("small", {}, `受付番号${number}`)),
    make("p", { class: "staff-question" }, `ご質問: ${question}`),
    make("div", { class: "said" }, ...reply.text.split("\n").filter(Boolean).map(sayingLine)),
    make("p", { class: "basis" }, reply.signed),
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

/** Whether it helped; where it did not, what was wrong may be written, and people may be asked. */
function feedback(turn, rate, ask) {
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
  return place;
}

// --- parts of an answer --------------------------------------------------------------------------------------

/** An answer's text ends in a line of sources, which are shown as a list here, and the year that it rests on. */
function partsOf(answer) {
  const [said, tail] = answer.text.split("\n\n出典: ");
  if (tail === undefined || !answer.citations.length) return { said: answer.text, note: "" };
  return { said, note: tail.split("\n").slice(1).join("") };
}

/** A line of an answer; one that begins with ・ is an item, whose second line starts below the first one's words. */
function sayingLine(line) {
  return make("p", line.startsWith("・") ? { class: "item" } : {}, line);
}

/** The verdicts and figures of an answer at a glance; nothing where there is neither. */
function rulings(decided, programs) {
  const settled = decided.some((ruling) => ruling.outcome === "settled");
  const shown = settled ? decided.filter((ruling) => ruling.outcome !== "not_stated") : decided;
  const rows = shown.map((ruling) => rulingRow(ruling, programs)).filter(Boolean);
  return rows.length ? make("div", { class: rows.length > 1 ? "rulings several" : "rulings" }, ...rows) : null;
}

function statusLine(status) {
  return STATUSES[status] ? make("div", { class: "rulings" }, badge(STATUSES[status])) : null;
}

function badge({ badge: words, look }) {
  return make("span", { class: `badge ${look}` }, sign(look), words);
}

function rulingRow(ruling, programs) {
  const verdict = OUTCOMES[ruling.outcome] ?? VERDICTS[ruling.verdict];
  const value = ruling.outcome === "settled" ? valueText(ruling) : "";
  if (!verdict && !value) return null;
  const about = [programs.get(ruling.program)?.name, SUBJECTS[ruling.subject]].filter(Boolean).join("・");
  const result = make("p", { class: "ruling-result" });
  if (value) {
    result.append(make("span", { class: "value" }, ruling.subject === "cap" ? make("small", {}, "上限") : null, value));
  }
  if (verdict) result.append(badge({ badge: verdict[ruling.subject] ?? verdict.badge, look: verdict.look }));
  return make("div", { class: "ruling" }, make("p", { class: "ruling-of" }, about), result);
}

function valueText({ subject, value, unit }) {
  if (value === null || value === undefined) return "";
  const about = ABOUT.has(subject) ? "約" : "";
  switch (unit) {
    case "yen":
      return about + yen(value);
    case "day":
      return `${value}日`;
    case "hour":
      return `${value}時間`;
    case "month":
      return `${about}${value}か月`;
    case "count":
      return `年${value}回`;
    case "months_of_year":
      return `${value.at(0)}月〜${value.at(-1)}月`;
    default:
      return subject === "report_due" && /^\d{4}-\d{2}-\d{2}$/.test(value) ? `${dayText(value)}まで` : "";
  }
}

function yen(amount) {
  const [hundredMillions, tenThousands, rest] = [amount / 1e8, (amount % 1e8) / 1e4, amount % 1e4].map(Math.trunc);
  const parts = [
    hundredMillions ? `${hundredMillions.toLocaleString("ja-JP")}億` : "",
    tenThousands ? `${tenThousands.toLocaleString("ja-JP")}万` : "",
    rest || !amount ? rest.toLocaleString("ja-JP") : "",
  ];
  return `${parts.join("")}円`;
}

function dayText(iso) {
  const [year, month, day] = iso.split("-").map(Number);
  return `${year}年${month}月${day}日`;
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
  return make(
    "div",
    { class: "offer choices", role: "group", "aria-label": "選んでください" },
    ...choices.map(({ label, value }) =>
      make("button", { type: "button", class: "choice", onclick: () => ask(label, value) }, label),
    ),
  );
}

function suggestionChips(suggestions, ask) {
  return make(
    "div",
    { class: "offer chips", role: "group", "aria-label": "次の質問の例" },
    ...suggestions.map((text) => make("button", { type: "button", class: "chip", onclick: () => ask(text) }, text)),
  );
}
