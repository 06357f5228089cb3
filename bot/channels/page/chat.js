// The conversation: sends a message, shows what comes back, and keeps both over a reload of the page.
import { follow, remember, unfollow, watch } from "./cases.js";
import { answerItem, errorItem, programItems, questionItem, replyItem, typingItem } from "./view.js";

const KEPT = "conversation";
const LONGEST_WAIT_MS = 30_000;
const LONG_MS = 5_000;
const HINT = "例: うちの町は対象になりますか";
const HINTS = { fiscal_index: "例: 0.45", end_date: "例: 6月10日" }; // for facts that are typed rather than chosen
const PROBLEMS = {
  offline: "インターネットにつながっていません。電波やネットワークを確かめて、もう一度お試しください。",
  down: "窓口のサーバーにつながりません。しばらく待ってから、もう一度お試しください。",
  stopped: "取りやめました。",
  slow: "返事に時間がかかっています。もう一度お試しください。",
  broken: "うまく答えられませんでした。少し待ってから、もう一度お試しください。",
};

const form = document.getElementById("form");
const input = document.getElementById("text");
const send = document.getElementById("send");
const log = document.getElementById("log");
const live = document.getElementById("live");
const welcome = document.getElementById("welcome");
const examples = document.getElementById("examples");

let conversation = restore();
let programs = new Map();
const STOPPED = new Error("the person gave up waiting");
let waiting = null; // the AbortController of the message under way

// --- what is kept --------------------------------------------------------------------------------------------

function fresh() {
  // turns: {text, check, and once it is there: answer, or problem and whether to edit the text}, or {reply, number, …} of officials
  return { id: null, turns: [] };
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? fresh();
  } catch {
    return fresh();
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(conversation));
  } catch {
    // storage is full or switched off: the conversation lasts as long as the page
  }
}

// --- asking --------------------------------------------------------------------------------------------------

// `check` is the eligibility check as far as it is filled in, where the message is a step of it: {program, facts}.
// `of` is the conversation that it belongs to, where that is an earlier one.
async function ask(text, check = null, of = null) {
  if (waiting || !text.trim()) return;
  const turn = { text: text.trim(), check, of };
  conversation.turns.push(turn);
  retireOffers();
  welcome.hidden = true;
  keep(); // a reload from here on offers to ask again
  log.append(questionItem(turn.text));
  await answerTurn(turn);
}

async function answerTurn(turn) {
  const asked = conversation;
  const question = log.lastElementChild;
  const { item: typing, say } = typingItem(() => waiting?.abort(STOPPED));
  const long = setTimeout(() => say("時間がかかっています。もうしばらくお待ちください…"), LONG_MS);
  log.append(typing);
  question.scrollIntoView();
  setBusy(true);
  delete turn.problem; // a second attempt
  let growing = null; // the answer as far as it has come
  const outcome = await post(turn, (answer) => {
    if (asked !== conversation) return;
    growing?.remove();
    growing = answerItem(answer, programs, null);
    typing.before(growing);
  });
  clearTimeout(long);
  if (asked !== conversation) return; // started over meanwhile
  typing.remove();
  growing?.remove();
  setBusy(false);
  Object.assign(turn, outcome);
  if (turn.answer?.forgotten) {
    forgetHere();
    log.append(question);
  }
  keep();
  if (turn.answer?.case) follow(turn.answer.case, conversation.id);
  if (turn.answer?.rulings.length) remember(turn.answer.turn, conversation.id);
  const item = show(turn);
  question.scrollIntoView();
  if (turn.edit && !input.value) {
    input.value = turn.text;
    fitInput();
  }
  // A tapped button is gone with its focus: the next Tab goes on from the answer. Typing is not interrupted.
  if (document.activeElement === document.body) item.focus({ preventScroll: true });
}

// Sends a message; `grown` is called with the answer each time that there is more of it.
async function post(turn, grown) {
  let answer = null;
  const controller = new AbortController();
  waiting = controller;
  const timer = setTimeout(() => controller.abort(), LONGEST_WAIT_MS);
  try {
    const response = await fetch(turn.check ? "/api/check" : "/api/ask/stream", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...(turn.check ?? { text: turn.text }), conversation_id: turn.of ?? conversation.id }),
      signal: controller.signal,
    });
    if (!response.ok) {
      const refusal = await response.json();
      conversation.id = refusal.conversation_id || conversation.id;
      return { problem: refusal.text || PROBLEMS.broken, edit: response.status === 413 || response.status === 422 };
    }
    if (turn.check) {
      answer = await response.json();
      conversation.id = answer.conversation_id;
      return { answer };
    }
    for await (const [name, content] of eventsOf(response)) {
      answer = content;
      conversation.id = answer.conversation_id || conversation.id;
      if (name === "answer") grown(answer);
    }
    return answer ? { answer } : { problem: PROBLEMS.broken };
  } catch (error) {
    if (answer) return { answer }; // what has come is checked and stands by itself
    if (error === STOPPED) return { problem: PROBLEMS.stopped };
    if (error.name === "AbortError") return { problem: PROBLEMS.slow };
    if (!(error instanceof TypeError)) return { problem: PROBLEMS.broken };
    return { problem: navigator.onLine ? PROBLEMS.down : PROBLEMS.offline };
  } finally {
    clearTimeout(timer);
    if (waiting === controller) waiting = null;
  }
}

async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const [, name, content] = event.match(/^event: (.*)\ndata: (.*)$/);
      yield [name, JSON.parse(content)];
    }
  }
}

// --- showing -------------------------------------------------------------------------------------------------

function show(turn) {
  const isLast = turn === conversation.turns.at(-1);
  if (turn.reply) return showReply(turn);
  const item = turn.answer
    ? answerItem(withExamples(turn.answer), programs, isLast ? goOn(turn) : null, rate)
    : errorItem(turn.problem ?? PROBLEMS.broken, isLast && !turn.edit ? () => retry(turn, item) : null);
  log.append(item);
  input.placeholder = HINTS[turn.answer?.missing[0]] ?? HINT;
  return item;
}

function showReply(turn) {
  const item = replyItem(turn, (text) => ask(text, null, turn.of));
  log.append(item);
  return item;
}

// What an official has written is shown once, as it comes.
function take(reply, { number, question, suggestions }, of) {
  if (conversation.turns.some((turn) => turn.reply?.id === reply.id)) return;
  const turn = { reply, number, question, suggestions: reply.kind === "answer" ? suggestions : [], of };
  conversation.turns.push(turn);
  conversation.id ??= of;
  welcome.hidden = true;
  keep();
  showReply(turn).scrollIntoView({ block: "nearest" });
}

// Tells whether an answer helped, with a note beside it; returns what may be said next, or null where it could not be kept.
async function rate(turn, helpful, note = "") {
  const response = await fetch("/api/rate", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ turn, helpful, note }),
  }).catch(() => null);
  return response?.ok ? (await response.json()).suggestions : null;
}

// What a tapped choice or suggestion does: in an eligibility check the fact is known then, else the words are said.
function goOn({ answer, check }) {
  if (!check || !answer.choices.length) return (text) => ask(text);
  const { program, facts } = check;
  return (text, value) => ask(text, { program, facts: { ...facts, [answer.missing[0]]: value } });
}

// To someone who asked for something else, the greeting's examples show what can be asked.
function withExamples(answer) {
  if (answer.status !== "offtopic" || answer.suggestions.length) return answer;
  return { ...answer, suggestions: [...examples.querySelectorAll("button")].map((button) => button.textContent) };
}

function retry(turn, item) {
  if (waiting) return;
  item.remove();
  answerTurn(turn);
}

// Choices and suggestions belong to the last answer only, a failed question can be repeated only while it is the last.
function retireOffers() {
  for (const offer of log.querySelectorAll(".offer")) offer.remove();
}

function setBusy(busy) {
  send.disabled = busy;
  live.setAttribute("aria-busy", String(busy));
  for (const button of log.querySelectorAll(".offer button")) button.disabled = busy;
}

function startOver() {
  waiting?.abort();
  waiting = null;
  conversation = fresh();
  keep();
  log.replaceChildren();
  setBusy(false);
  input.placeholder = HINT;
  welcome.hidden = false;
  scrollTo({ top: 0 });
  input.focus();
}

// --- one's own record ----------------------------------------------------------------------------------------

const record = document.getElementById("record");

function sayOfRecord(words) {
  document.getElementById("record-said").textContent = words;
}

async function ofRecord(path) {
  if (!conversation.id) return sayOfRecord("この会話の記録はありません。");
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ conversation_id: conversation.id }),
  }).catch(() => null);
  if (!response?.ok) return sayOfRecord(PROBLEMS.broken);
  return response.json();
}

async function takeRecord() {
  const kept = await ofRecord("/api/record");
  if (!kept) return;
  const file = new Blob([JSON.stringify(kept, null, 2)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "madoguchi-record.json";
  link.click();
  URL.revokeObjectURL(link.href);
  sayOfRecord("書き出しました。");
}

async function forgetRecord() {
  if (!(await ofRecord("/api/forget"))) return;
  forgetHere();
  startOver();
  sayOfRecord("消しました。");
}

// What this browser keeps of the conversation goes with its record.
function forgetHere() {
  unfollow(conversation.id);
  conversation = fresh();
  log.replaceChildren();
}

document.getElementById("own").addEventListener("click", () => {
  sayOfRecord("");
  record.showModal();
});
document.getElementById("record-take").addEventListener("click", takeRecord);
document.getElementById("record-forget").addEventListener("click", forgetRecord);
document.getElementById("record-close").addEventListener("click", () => record.close());

function fitInput() {
  if (CSS.supports("field-sizing", "content")) return;
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

// --- the page ------------------------------------------------------------------------------------------------

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (waiting) return;
  const text = input.value;
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

examples.addEventListener("click", (event) => {
  if (event.target.matches("button")) ask(event.target.textContent);
});
document.getElementById("restart").addEventListener("click", startOver);

async function loadPrograms() {
  try {
    const response = await fetch("/api/programs");
    const listed = await response.json();
    programs = new Map(listed.map((program) => [program.id, program]));
    document.getElementById("programs").replaceChildren(
      ...programItems(listed, ({ id, name }) => ask(`${name}の対象チェック`, { program: id, facts: {} })),
    );
  } catch {
    // the greeting does without them, and an answer shows its sources anyway
  }
}

await loadPrograms();
if (conversation.turns.length) {
  welcome.hidden = true;
  for (const turn of conversation.turns) {
    if (turn.text) log.append(questionItem(turn.text));
    show(turn);
  }
  log.lastElementChild.scrollIntoView();
}
watch(take);
