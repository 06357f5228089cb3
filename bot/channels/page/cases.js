// Questions that officials answer: which ones this browser has asked, and what has come back. It asks while it is looked at.

const KEPT = "cases";
const EVERY_MS = 5_000;
const OVER = "closed";

let cases = restore(); // {key, conversation}: by the key the case is known, in that conversation it was asked
let shown = () => {};
let timer = null;

function restore() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(cases));
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

/** Forgets the cases of a conversation, whose record has been deleted. */
export function unfollow(conversation) {
  cases = cases.filter((known) => known.conversation !== conversation);
  keep();
}

/** Has `show(reply, told, conversation)` called for each thing that officials have written, as often as it is seen. */
export function watch(show) {
  shown = show;
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
