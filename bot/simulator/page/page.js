// What both views use: making elements, and telling the simulator what the person does.

/** Makes an element with properties and children; strings become text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { data, ...rest } = properties;
  Object.assign(made, rest);
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button that does something when it is tapped. */
export function button(words, act, properties = {}) {
  const made = element("button", { type: "button", ...properties }, words);
  made.addEventListener("click", act);
  return made;
}

/** A link that opens beside the page; null stands for an address that is none. */
export function link(words, address) {
  if (!/^https?:/.test(address)) return element("span", {}, words);
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, words);
}

/** Shows a list's end after something was added to it. */
export function showEnd(list) {
  list.scrollTop = list.scrollHeight;
}

const problem = document.getElementById("problem");

/** Tells the simulator what the person does; what it answers is the new state, handed to all who listen. */
export async function act(path, wish = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  }).catch(() => null);
  await take(response);
}

/** Asks for the state as it is now. */
export async function refresh() {
  await take(await fetch("/state").catch(() => null));
}

const listeners = [];
let before = "";

/** Has a function called with each new state. */
export function onState(listener) {
  listeners.push(listener);
}

async function take(response) {
  const state = response ? await response.json().catch(() => null) : null;
  problem.hidden = Boolean(state && !state.problem);
  if (!problem.hidden) {
    problem.textContent = state?.problem ?? "シミュレーターが終了しています。もう一度起動してください。";
    return;
  }
  const now = JSON.stringify(state);
  if (now === before) return;
  before = now;
  for (const listener of listeners) listener(state);
}
