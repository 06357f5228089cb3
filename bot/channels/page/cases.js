// Questions that officials answer: which ones this browser has asked, and what has come back. It asks while it is looked at.

const KEPT = "cases";
const EVERY_MS = 5_000;
const OVER = "closed";

const GIVEN = "answers given";
const LOOKED_BACK_MS = 90 * 24 * 60 * 60 * 1000;
const MOST = 100; // as many as are asked about at once

let given = restore(GIVEN); // {turn, conversation, at}: answers that rules gave
let cases = restore(KEPT); // {key, conversation}: by the key the case is known, in that conversation it was asked
let shown = () => {};
let timer = null;

function restore(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(cases));
    localStorage.setItem(GIVEN, JSON.stringify(given));
  } catch {
    // storage is full or switched off: what comes back is seen as long as the page is open
  }
}

/** Remembers a case that an answer told of. */
export function follow(key, conversation) {
  if (cases.some((known) => known.key === key)) return;
  cases.push({ key, conversation });
  keep();
  plan();
}

/** Forgets what is known of a conversation, whose record has been deleted. */
export function unfollow(conversation) {
  cases = cases.filter((known) => known.conversation !== conversation);
  given = given.filter((known) => known.conversation !== conversation);
  keep();
}

/** Remembers an answer that rules gave: what it rests on may change, and is then put right. */
export function remember(turn, conversation) {
  given = [...given.filter(({ at }) => at > Date.now() - LOOKED_BACK_MS), { turn, conversation, at: Date.now() }].slice(-MOST);
  keep();
}

/** Asks once, as the page is opened, what has been put right of the answers that were given here. */
async function askWhatChanged() {
  if (!given.length) return;
  const response = await fetch("/api/corrections", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ turns: given.map(({ turn }) => turn) }),
  }).catch(() => null);
  if (!response?.ok) return;
  for (const reply of (await response.json()).corrections) {
    const { conversation } = given.find(({ turn }) => turn === reply.turn);
    given = given.filter(({ turn }) => turn !== reply.turn);
    shown(reply, { question: reply.question, suggestions: [] }, conversation);
  }
  keep();
}

/** Has `show(reply, told, conversation)` called for each thing that officials have written, as often as it is seen. */
export function watch(show) {
  shown = show;
  askWhatChanged();
  document.addEventListener("visibilitychange", look);
  look();
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  for (const known of [...cases]) await ask(known);
  plan();
}

async function ask(known) {
  const response = await fetch(`/api/cases/${known.key}`).catch(() => null);
  if (response?.status === 404) cases = cases.filter((other) => other !== known);
  if (!response?.ok) return keep();
  const told = await response.json();
  for (const reply of told.replies) shown(reply, told, known.conversation);
  if (told.state === OVER) cases = cases.filter((other) => other !== known);
  keep();
}

function plan() {
  clearTimeout(timer);
  if (cases.length) timer = setTimeout(look, EVERY_MS);
}
