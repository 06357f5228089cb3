// Who asks: what they send is kept until the service has it, and what they see comes with the session's events.
import { answerItem, questionItem, typingItem } from "/page/view.js";
import { api, button, code, follow, make, send, showList, stateBadge } from "./live.js";

const AGAIN_AFTER = 2_000; // milliseconds
const KEPT = `unsent ${code}`;

const form = document.getElementById("form");
const input = document.getElementById("text");
const log = document.getElementById("log");
const notice = document.getElementById("notice");
const board = document.getElementById("board");

const headers = { "X-Asker": remembered() };
let unsent = restore(); // what the service has not acknowledged or not answered yet: {id, text, event?}
let mine = [];
let programs = new Map();

function remembered() {
  const key = `asker ${code}`;
  const fresh = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  try {
    const known = localStorage.getItem(key) ?? fresh;
    localStorage.setItem(key, known);
    return known;
  } catch {
    return fresh; // storage is switched off: the page is somebody new after a reload
  }
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(unsent));
  } catch {
    // it lasts as long as the page
  }
}

// --- sending -------------------------------------------------------------------------------------------------

async function ask(text) {
  const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const question = { id, text };
  unsent.push(question);
  show();
  log.lastElementChild.scrollIntoView({ block: "start" });
  await deliver(question);
}

// Sends until the service has it: the id is the same each time, so it is asked once.
async function deliver(question) {
  for (;;) {
    const { ok, status, body } = await send(`${api}/questions`, { id: question.id, text: question.text }, headers);
    if (ok) {
      question.event = body.event;
      say("");
      break;
    }
    say(body.text);
    if (status && status < 500 && status !== 429) {
      unsent = unsent.filter((other) => other !== question);
      if (!input.value) input.value = question.text;
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER));
  }
  keep();
  show();
}

function say(words) {
  notice.textContent = words;
  notice.hidden = !words;
}

async function tap(question, name) {
  const { ok, body } = await send(`${api}/questions/${question.id}/taps`, { tap: name }, headers);
  say(ok ? "" : body.text);
}

async function want(matter) {
  const { ok, body } = await send(`${api}/matters/${matter.number}/wants`, {}, headers);
  say(ok ? "" : body.text);
}

// --- showing -------------------------------------------------------------------------------------------------

function show() {
  const answered = new Set(mine.map((question) => question.event));
  unsent = unsent.filter((question) => !answered.has(question.event));
  keep();
  const waiting = unsent.map((question) => ({ id: question.id, text: question.text, waiting: true }));
  const typed = mine.filter((question) => !question.wanted);
  const last = typed.at(-1)?.id;
  const values = [...typed.map((question) => ({ ...question, last: question.id === last && !waiting.length })), ...waiting];
  showList(log, values, ({ id }) => id, conversationItem);
  document.getElementById("welcome").hidden = values.length > 0;
}

function conversationItem(question) {
  const shown = make("ol", { class: "log" }, questionItem(question.text));
  if (question.waiting) shown.append(typingItem());
  else shown.append(answerItem(question.answer, programs, question.last ? (text) => ask(text) : null), ...afterwards(question));
  return make("li", { class: "exchange" }, shown);
}

function afterwards(question) {
  if (!question.number) return [];
  if (question.reply) {
    return [make("li", { class: "card reply" }, make("p", { class: "reply-by" }, "説明者からの回答"), make("p", {}, question.reply))];
  }
  if (question.settled) return [make("li", { class: "status" }, "解決済みにしました。", tapButton(question, "やはり説明者に聞く", "asked"))];
  if (question.reached) return [make("li", { class: "status" }, stand(question), tapButton(question, "これで分かった", "settled"))];
  return [
    make(
      "li",
      {},
      make(
        "div",
        { class: "taps", role: "group", "aria-label": "この回答について" },
        tapButton(question, "これで分かった", "settled"),
        tapButton(question, "説明者に聞く", "asked"),
        tapButton(question, "役に立たない", "unhelpful"),
      ),
    ),
  ];
}

function stand({ state, others }) {
  const also = others ? `同じ質問がほかに${others}人からあります。` : "";
  if (state === "aloud") return "この質問には、会場で口頭で回答がありました。";
  if (state === "later") return "この質問には、後日回答します。";
  if (state === "written") return "説明者が回答しました。下の「会場の質問」をご覧ください。";
  return `説明者に届きました。${also}回答があると、ここに表示されます。`;
}

function tapButton(question, words, name) {
  return button(words, () => tap(question, name), { class: "chip" });
}

function showBoard({ title, test, ended, matters }) {
  document.getElementById("title").textContent = title;
  document.title = `${title} | 質問`;
  document.getElementById("rehearsal").hidden = !test;
  board.hidden = matters.length === 0;
  const own = new Set(mine.map((question) => question.number));
  showList(
    document.getElementById("matters"),
    matters.map((matter) => ({ ...matter, own: own.has(matter.number) })),
    ({ number }) => number,
    matterItem,
  );
  input.disabled = ended;
  document.getElementById("send").disabled = ended;
  if (ended) say("この説明会の質問の受付は終わりました。");
}

function matterItem(matter) {
  const open = matter.state === "open" || matter.state === "answering";
  return make(
    "li",
    { class: "matter card" },
    make("p", { class: "matter-wording" }, make("span", { class: "matter-number" }, `Q${matter.number}`), matter.wording),
    matter.answer ? make("p", { class: "matter-answer" }, matter.answer) : null,
    make(
      "div",
      { class: "matter-foot" },
      stateBadge(matter.state),
      make("span", { class: "people" }, `${matter.count}人`),
      matter.own ? make("span", { class: "wanted" }, "あなたの質問に含まれています") : null,
      !matter.own && open ? button("私も知りたい", () => want(matter), { class: "chip" }) : null,
    ),
  );
}

// --- the page ------------------------------------------------------------------------------------------------

function fitInput() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  fitInput();
  ask(text);
});
input.addEventListener("input", fitInput);
input.addEventListener("keydown", (event) => {
  // The Enter that ends a conversion of kana must not send: isComposing, and 229 where browsers say it late.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

try {
  const listed = await (await fetch("/api/programs")).json();
  programs = new Map(listed.map((program) => [program.id, program]));
} catch {
  // answers show their sources anyway
}
for (const question of unsent.filter(({ event }) => !event)) deliver(question);
show();
const refused = await follow(
  `${api}/events`,
  headers,
  (state) => {
    mine = state.mine;
    show();
    showBoard(state.board);
  },
  (connected) => document.body.classList.toggle("offline", !connected),
);
say(refused);
