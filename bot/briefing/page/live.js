// What every page of a session does: follows it, tells what its person does, and shows lists without losing their place.

export const code = location.pathname.split("/")[2];
export const api = `/api/briefings/${code}`;

const FIRST_WAIT = 500; // milliseconds; doubled at each failure
const LONGEST_WAIT = 8_000;
const SILENT_AFTER = 40_000; // longer than the service's signs of life are apart
const OFFLINE = "通信できませんでした。電波やネットワークを確かめて、もう一度お試しください。";

/** Makes an element with attributes (on…: listeners) and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function button(words, act, attributes = {}) {
  return make("button", { type: "button", onclick: act, ...attributes }, words);
}

/** Follows a session for as long as the page is open. `onState` gets each state, `onLine` whether we are connected. */
export async function follow(path, headers, onState, onLine) {
  let wait = FIRST_WAIT;
  for (;;) {
    const controller = new AbortController();
    try {
      const response = await fetch(path, { headers, signal: controller.signal, cache: "no-store" });
      if (response.status === 403 || response.status === 404) return (await response.json()).text;
      if (!response.ok) throw new Error(response.statusText);
      for await (const state of statesOf(response, controller)) {
        wait = FIRST_WAIT;
        onLine(true);
        onState(state);
      }
    } catch {
      // the network, or the service, is away: again in a moment
    }
    onLine(false);
    await new Promise((resolve) => setTimeout(resolve, wait * (1 + Math.random())));
    wait = Math.min(2 * wait, LONGEST_WAIT);
  }
}

async function* statesOf(response, controller) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const silent = setTimeout(() => controller.abort(), SILENT_AFTER);
    const { done, value } = await reader.read().finally(() => clearTimeout(silent));
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const found = event.match(/^event: state\ndata: (.*)$/);
      if (found) yield JSON.parse(found[1]);
    }
  }
}

/** Sends something; returns {ok, status, body}, where a refusal's body has its reason as `text`. */
export async function send(path, body, headers) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    return { ok: response.ok, status: response.status, body: await response.json() };
  } catch {
    return { ok: false, status: 0, body: { text: OFFLINE } };
  }
}

/** Shows a list of values: an element is made anew only where its value has changed, and keeps its place else. */
export function showList(list, values, keyOf, makeItem) {
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = values.map((value) => {
    const key = String(keyOf(value));
    const content = JSON.stringify(value);
    const kept = before.get(key);
    if (kept?.content === content) return kept;
    const item = makeItem(value, kept);
    item.dataset.key = key;
    item.content = content;
    return item;
  });
  if (items.length !== list.children.length || items.some((item, at) => list.children[at] !== item)) {
    const focused = document.activeElement;
    const name = list.contains(focused) ? focused.closest("[data-key]")?.dataset.key : null;
    const label = focused?.textContent;
    list.replaceChildren(...items);
    if (name === null || document.activeElement !== document.body) return;
    const again = items.find((item) => item.dataset.key === name);
    const same = [...(again?.querySelectorAll("button, summary, input") ?? [])].find((one) => one.textContent === label);
    (list.contains(focused) ? focused : same)?.focus({ preventScroll: true });
  }
}

export const STATES = {
  open: { words: "未回答", look: "asks" },
  answering: { words: "回答中", look: "depends" },
  written: { words: "回答済み", look: "yes" },
  aloud: { words: "口頭で回答済み", look: "yes" },
  later: { words: "後日回答", look: "silent" },
  desk: { words: "回答済み", look: "yes" },
};

export function stateBadge(state) {
  const { words, look } = STATES[state];
  return make("span", { class: `badge ${look}` }, words);
}

/** The secret of a host's or the projector's link: behind the #, and kept for a reload of the tab. */
export function secretOf(role) {
  const key = `${role} ${code}`;
  const given = location.hash.slice(1);
  try {
    if (given) sessionStorage.setItem(key, given);
    return given || sessionStorage.getItem(key) || "";
  } catch {
    return given;
  }
}
