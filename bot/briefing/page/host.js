// A host on a phone: each act names what was seen, so nothing that somebody else has changed is overwritten.
import { api, button, code, follow, make, secretOf, send, showList, stateBadge } from "./live.js";

const TABS = [
  ["waiting", "未対応", ({ state, hidden }) => !hidden && (state === "open" || state === "answering")],
  ["done", "対応済み", ({ state, hidden }) => !hidden && state !== "open" && state !== "answering"],
  ["bot", "自動で回答", null],
  ["hidden", "非表示", ({ hidden }) => hidden],
];
const ACTS = {
  release: "公開",
  withdraw: "取り下げ",
  hide: "非表示",
  show: "再表示",
  pin: "固定",
  unpin: "固定の解除",
  take: "回答中",
  reopen: "未回答に戻す",
  later: "後日回答",
  desk: "職員の回答",
  reword: "言い換え",
  answer: "回答",
  aloud: "口頭で回答",
  merge: "まとめ",
  split: "分割",
};
const REACHED = { unknown: "資料に記載なし", asked: "説明者に聞く", unhelpful: "役に立たない" };
const EMPTY = {
  waiting: "いま対応する質問はありません。資料で答えられない質問と「説明者に聞く」が、ここに届きます。",
  done: "対応済みの質問はありません。",
  bot: "資料から自動で回答した質問はまだありません。",
  hidden: "非表示にした質問はありません。",
};

const headers = { Authorization: `Bearer ${secretOf("host")}` };
const list = document.getElementById("matters");
const bar = document.getElementById("bar");
const dialog = document.getElementById("dialog");

let session = null;
let tab = "waiting";
let chosen = new Set(); // the numbers that are marked for merging

// --- acting --------------------------------------------------------------------------------------------------

async function act(name, matters, also = {}) {
  const seen = matters.map(({ number, version }) => [number, version]);
  const { ok, body } = await send(`${api}/host/acts`, { name, seen, ...also }, headers);
  say(ok ? "" : body.text);
  return ok;
}

async function undo({ change }) {
  const { ok, body } = await send(`${api}/host/undo`, { change }, headers);
  say(ok ? "" : body.text);
}

function say(words) {
  const notice = document.getElementById("notice");
  notice.textContent = words;
  notice.hidden = !words;
  if (words) scrollTo({ top: 0 });
}

// --- the list ------------------------------------------------------------------------------------------------

function mattersOf(name) {
  if (name === "bot") return session.answered_by_bot;
  return session.matters.filter(TABS.find(([id]) => id === name)[2]);
}

function show() {
  document.getElementById("title").textContent = session.title;
  document.title = `${session.title} | 説明者`;
  document.getElementById("rehearsal").hidden = !session.test;
  showList(
    document.getElementById("tabs"),
    TABS.map(([id, words]) => ({ id, words, count: mattersOf(id).length, current: id === tab })),
    ({ id }) => id,
    ({ id, words, count, current }) =>
      button(`${words} ${count}`, () => turnTo(id), { "aria-current": current ? "true" : "false" }),
  );
  const order = ({ pinned, state, count }) => (state === "answering" ? 1e9 : 0) + (pinned ? 1e6 : 0) + count;
  const shown = [...mattersOf(tab)].sort((one, other) => order(other) - order(one) || one.number - other.number);
  const kept = new Set(shown.map(({ number }) => number));
  chosen = new Set([...chosen].filter((number) => kept.has(number)));
  showList(
    list,
    shown.map((matter) => ({ ...matter, chosen: chosen.has(matter.number) })),
    ({ number }) => number,
    matterItem,
  );
  document.getElementById("empty").hidden = shown.length > 0;
  document.getElementById("empty").textContent = EMPTY[tab];
  showBar();
}

function turnTo(id) {
  tab = id;
  chosen.clear();
  show();
}

function matterItem(matter, before) {
  const opened = before?.querySelector("details")?.open;
  const { number, wording, count, state, released, pinned, hidden, answer } = matter;
  const mark = make("input", { type: "checkbox", "aria-label": `Q${number}を選ぶ`, checked: matter.chosen, onchange: () => choose(number) });
  return make(
    "li",
    { class: "matter card", "aria-label": `Q${number}` },
    make(
      "div",
      { class: "matter-head" },
      make("label", { class: "mark" }, mark),
      make("span", { class: "matter-number" }, `Q${number}`),
      make("strong", { class: "people" }, `${count}人`),
      stateBadge(state),
      released ? make("span", { class: "badge yes" }, "公開中") : null,
      pinned ? make("span", { class: "badge asks" }, "固定") : null,
    ),
    make("p", { class: "matter-wording" }, wording),
    answer ? make("p", { class: "matter-answer" }, answer) : null,
    remaining(matter),
    make(
      "div",
      { class: "acts" },
      hidden
        ? button("再表示", () => act("show", [matter]), { class: "choice" })
        : button(released ? "取り下げ" : "公開", () => act(released ? "withdraw" : "release", [matter]), { class: "choice" }),
      button(answer ? "回答を直す" : "回答を書く", () => writeAnswer(matter), { class: "choice main" }),
      button("その他", () => showActs(matter), { class: "choice", "aria-haspopup": "dialog" }),
    ),
    details(matter, opened),
  );
}

/** Who joined after the answer was given: their question is read before the same answer goes to them. */
function remaining(matter) {
  if (matter.state !== "written" || !matter.without_reply.length) return null;
  const late = matter.questions.filter(({ id }) => matter.without_reply.includes(id));
  return make(
    "div",
    { class: "warning" },
    make("p", {}, `回答の後に加わった質問が${matter.without_reply.length}件あります。`),
    make("ul", {}, late.map(({ text }) => make("li", {}, text))),
    button("この回答を送る", () => act("answer", [matter], { text: matter.answer, questions: matter.without_reply }), { class: "choice" }),
  );
}

function details(matter, opened) {
  const { questions, wants, bot_said: said, sources } = matter;
  return make(
    "details",
    { class: "sources", open: Boolean(opened) },
    make("summary", {}, `元の質問と窓口の回答(${questions.length + wants.length})`),
    make(
      "ul",
      { class: "asked" },
      questions.map(({ text, reached, settled, replied, channel }) =>
        make(
          "li",
          {},
          text,
          make(
            "small",
            {},
            [channel === "line" ? "LINE" : "ページ", settled ? "解決済み" : (REACHED[reached] ?? "自動で回答"), replied ? "回答を送付済み" : ""].filter(Boolean).join("・"),
          ),
        ),
      ),
      wants.length ? make("li", {}, `「私も知りたい」${wants.length}人`) : null,
    ),
    said ? make("div", { class: "bot-said" }, make("h2", {}, "窓口の回答"), make("p", {}, said)) : null,
    sources.length ? make("ul", { class: "places" }, sources.map((place) => make("li", {}, `出典: ${place}`))) : null,
  );
}

function choose(number) {
  if (!chosen.delete(number)) chosen.add(number);
  showBar();
}

function showBar() {
  const marked = session.matters.concat(session.answered_by_bot).filter(({ number }) => chosen.has(number));
  const parts = [];
  if (marked.length > 1) {
    parts.push(button(`${marked.length}件をまとめる`, () => merge(marked), { class: "choice main" }));
    parts.push(button("選択をやめる", () => turnTo(tab), { class: "choice" }));
  } else if (session.undo) {
    parts.push(button(`「${ACTS[session.undo.act]}」を取り消す`, () => undo(session.undo), { class: "choice" }));
  }
  bar.replaceChildren(...parts);
  bar.hidden = parts.length === 0 || document.body.classList.contains("with-sheet");
}

async function merge(marked) {
  const [into, ...others] = [...marked].sort((one, other) => other.count - one.count);
  if (await act("merge", [into, ...others])) turnTo(tab);
}

// --- dialogs -------------------------------------------------------------------------------------------------

function openDialog(title, ...content) {
  dialog.replaceChildren(
    make("h2", { id: "dialog-title" }, title),
    ...content.flat().filter(Boolean),
    make("div", { class: "acts" }, button("閉じる", () => dialog.close(), { class: "choice" })),
  );
  dialog.showModal();
}

function form(label, text, longest, submit, words) {
  const field = make("textarea", { rows: 5, maxlength: longest, id: "written", "aria-label": label });
  field.value = text;
  const warning = make("p", { class: "warning", role: "alert", hidden: true });
  const made = make("form", {}, make("label", { for: "written" }, label), field, warning, make("button", { type: "submit", class: "choice main" }, words));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = await submit(field.value);
    warning.textContent = problem ?? "";
    warning.hidden = !problem;
  });
  return made;
}

function listedIn(matter) {
  return [...matter.questions.map(({ id }) => id), ...matter.wants];
}

// The answer goes to the questions that stand in the dialog, whatever joins the matter meanwhile.
function writeAnswer(matter) {
  const listed = listedIn(matter);
  let checked = "";
  const submit = async (text) => {
    if (checked !== text) {
      const { ok, body } = await send(`${api}/host/figures`, { text, question: matter.wording }, headers);
      if (ok && body.unsupported.length) {
        checked = text;
        return `規則と資料に見当たらない数字や日付があります(${body.unsupported.join("、")})。正しければ、もう一度「送る」を押してください。`;
      }
    }
    if (await act("answer", [matter], { text, questions: listed })) dialog.close();
    else return document.getElementById("notice").textContent;
    return null;
  };
  openDialog(
    `Q${matter.number}に答える`,
    make("p", { class: "matter-wording" }, matter.wording),
    make("p", { class: "hint" }, `この${listed.length}件に届きます。`),
    make("ul", { class: "asked" }, matter.questions.map(({ text }) => make("li", {}, text))),
    matter.bot_said ? make("details", { class: "sources" }, make("summary", {}, "窓口の回答と出典"), make("p", {}, matter.bot_said), matter.sources.map((place) => make("p", { class: "hint" }, `出典: ${place}`))) : null,
    form("回答", matter.answer, 2000, submit, "送る"),
  );
}

function showActs(matter) {
  const then = (name) => async () => {
    if (await act(name, [matter])) dialog.close();
  };
  const leave = async () => {
    if (await act("later", [matter], { questions: listedIn(matter) })) dialog.close();
  };
  const offered = [
    matter.state === "answering" ? ["未回答に戻す", then("reopen")] : ["いま答えています(回答中)", then("take")],
    ["口頭で回答した", () => noteAloud(matter)],
    [session.desk ? "後日回答する(職員の窓口に送る)" : "後日回答する", leave],
    matter.state === "open" || matter.state === "answering" ? null : ["未回答に戻す", then("reopen")],
    ["言い換える", () => reword(matter)],
    matter.pinned ? ["固定をやめる", then("unpin")] : ["先頭に固定する", then("pin")],
    matter.questions.length > 1 ? ["質問を分ける", () => split(matter)] : null,
    matter.hidden ? null : ["非表示にする", then("hide")],
  ];
  openDialog(
    `Q${matter.number}`,
    make("p", { class: "matter-wording" }, matter.wording),
    make("div", { class: "menu-acts" }, offered.filter(Boolean).map(([words, does]) => button(words, does, { class: "choice" }))),
  );
}

function reword(matter) {
  const submit = async (text) => {
    if (await act("reword", [matter], { text })) dialog.close();
    else return document.getElementById("notice").textContent;
    return null;
  };
  openDialog(`Q${matter.number}を言い換える`, form("画面に出す質問", matter.wording, 300, submit, "言い換える"));
}

function noteAloud(matter) {
  const submit = async (text) => {
    if (await act("aloud", [matter], { text })) dialog.close();
    else return document.getElementById("notice").textContent;
    return null;
  };
  openDialog(`Q${matter.number}に口頭で回答した`, form("回答のメモ(任意。FAQシートに載ります)", matter.answer, 2000, submit, "回答済みにする"));
}

function split(matter) {
  const marks = matter.questions.map(({ id, text }) => [id, make("input", { type: "checkbox", value: id }), text]);
  const go = async () => {
    const questions = marks.filter(([, mark]) => mark.checked).map(([id]) => id);
    if (await act("split", [matter], { questions })) dialog.close();
  };
  openDialog(
    `Q${matter.number}の質問を分ける`,
    make("p", { class: "hint" }, "別の質問にするものを選んでください。"),
    make("ul", { class: "asked" }, marks.map(([, mark, text]) => make("li", {}, make("label", { class: "mark" }, mark, text)))),
    button("分ける", go, { class: "choice main" }),
  );
}

// --- the menu, and the sheet ---------------------------------------------------------------------------------

function showMenu() {
  const { links, people, ended, test } = session;
  openDialog(
    session.title,
    make("p", { class: "hint" }, `番号 ${code}・質問した人 ${people}人${ended ? "・受付は終了" : ""}`),
    make("img", { class: "qr", src: `/b/${code}/qr.svg`, alt: "質問するページのQRコード" }),
    make(
      "div",
      { class: "menu-acts" },
      make("a", { class: "choice", href: links.screen, target: "_blank", rel: "noopener" }, "スクリーンを開く"),
      make("a", { class: "choice", href: links.page, target: "_blank", rel: "noopener" }, "質問するページを開く"),
      button("FAQシートを見る・印刷する", showSheet, { class: "choice" }),
      ["docx", "xlsx", "md"].map((format) => button(`FAQシートを保存(${format})`, () => save(format), { class: "choice" })),
      ended ? null : button(test ? "練習を終えて消す" : "受付を終了する", confirmEnd, { class: "choice danger" }),
    ),
  );
}

function confirmEnd() {
  openDialog(
    session.test ? "練習を終えますか" : "受付を終了しますか",
    make("p", {}, session.test ? "質問も回答も、すべて消えます。" : "新しい質問は受け付けなくなります。回答とFAQシートは、このあとも使えます。"),
    button("終了する", async () => {
      const { ok, body } = await send(`${api}/host/end`, {}, headers);
      dialog.close();
      say(ok ? "" : body.text);
    }, { class: "choice danger" }),
  );
}

async function sheetAs(format) {
  const response = await fetch(`${api}/host/sheet.${format}`, { headers });
  if (!response.ok) throw new Error(response.statusText);
  return response;
}

async function save(format) {
  try {
    const address = URL.createObjectURL(await (await sheetAs(format)).blob());
    make("a", { href: address, download: `faq-${code}.${format}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch {
    say("シートを作れませんでした。もう一度お試しください。");
  }
}

async function showSheet() {
  const { title, held, columns, lines } = await (await sheetAs("json")).json();
  const sections = [...new Set(lines.map(({ section }) => section))];
  const row = ({ number, question, people, answer, source, checks }) =>
    make("tr", {}, [number, question, `${people}人`, answer, source, checks].map((text) => make("td", {}, String(text))));
  const sheet = document.getElementById("sheet");
  sheet.replaceChildren(
    make("h2", { id: "sheet-title" }, `${title} 質問と回答`),
    make("p", {}, held),
    ...sections.map((section) =>
      make(
        "table",
        {},
        make("caption", {}, section),
        make("thead", {}, make("tr", {}, columns.map((words) => make("th", { scope: "col" }, words)))),
        make("tbody", {}, lines.filter((line) => line.section === section).map(row)),
      ),
    ),
    make(
      "div",
      { class: "acts" },
      button("印刷する", () => print(), { class: "choice main" }),
      session.desk ? button("回答をFAQ候補として職員の窓口に送る", propose, { class: "choice" }) : null,
      button("戻る", closeSheet, { class: "choice" }),
    ),
  );
  dialog.close();
  document.getElementById("work").hidden = true;
  bar.hidden = true;
  document.body.classList.add("with-sheet");
  sheet.hidden = false;
}

async function propose() {
  const { ok, body } = await send(`${api}/host/candidates`, {}, headers);
  closeSheet();
  say(ok ? `説明者の回答${body.candidates}件を、FAQ候補として職員の窓口に送りました。すでに送ったものは、重ねて送られません。` : body.text);
}

function closeSheet() {
  document.getElementById("sheet").hidden = true;
  document.getElementById("work").hidden = false;
  document.body.classList.remove("with-sheet");
  showBar();
}

document.getElementById("menu").addEventListener("click", () => session && showMenu());

const refused = await follow(
  `${api}/host/events`,
  headers,
  (state) => {
    session = state;
    show();
  },
  (connected) => (document.getElementById("away").hidden = connected),
);
say(refused);
