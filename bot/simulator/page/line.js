// The phone: a chat in LINE with Flex messages, quick replies and the rich menu.
// How Flex is laid out: https://developers.line.biz/en/docs/messaging-api/flex-message-layout/

import { act, button, element, link, onState, showEnd } from "./page.js";

const SIZES = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29 };
const SPACES = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const ALIGNMENTS = { center: "center", "flex-start": "flex-start", "flex-end": "flex-end" };

const log = document.getElementById("line-log");
const quick = document.getElementById("quick");
const menu = document.getElementById("menu");
const menuToggle = document.getElementById("menu-toggle");
const form = document.getElementById("line-form");
const text = document.getElementById("line-text");

function pixels(value) {
  return value in SPACES ? `${SPACES[value]}px` : value;
}

function tap(action) {
  act("/line/tap", { data: action.data, shown: action.displayText ?? action.label });
}

function component(part, parent) {
  const made = { box, text: words, button: flexButton, separator }[part.type](part);
  if (part.flex !== undefined) made.style.flex = part.flex === 0 ? "0 0 auto" : `${part.flex} 1 0`;
  else if (parent.layout !== "vertical") made.style.flex = "1 1 0";
  return made;
}

function box(part) {
  const made = element("div", { className: `box ${part.layout}` });
  for (const [number, inner] of part.contents.entries()) {
    const child = component(inner, part);
    const gap = number ? pixels(inner.margin ?? part.spacing ?? "none") : 0;
    if (number) child.style[part.layout === "vertical" ? "marginTop" : "marginLeft"] = gap;
    made.append(child);
  }
  if (part.alignItems) made.style.alignItems = ALIGNMENTS[part.alignItems];
  if (part.backgroundColor) made.style.backgroundColor = part.backgroundColor;
  if (part.cornerRadius) made.style.borderRadius = pixels(part.cornerRadius);
  if (part.paddingAll) made.style.padding = pixels(part.paddingAll);
  for (const side of ["Top", "Bottom"]) {
    if (part[`padding${side}`]) made.style[`padding${side}`] = pixels(part[`padding${side}`]);
  }
  if (part.paddingStart) made.style.paddingLeft = pixels(part.paddingStart);
  if (part.paddingEnd) made.style.paddingRight = pixels(part.paddingEnd);
  return made;
}

function words(part) {
  const made = element("p", { className: part.wrap ? "words" : "words one-line" }, part.text);
  made.style.fontSize = `${SIZES[part.size ?? "md"]}px`;
  made.style.color = part.color ?? "#111111";
  if (part.weight === "bold") made.style.fontWeight = "700";
  if (part.align) made.style.textAlign = part.align;
  return made;
}

function flexButton(part) {
  const { action } = part;
  if (action.type === "uri") {
    const made = link(action.label, action.uri);
    made.className = "flex-button";
    return made;
  }
  return button(action.label, () => tap(action), { className: "flex-button" });
}

function separator() {
  return element("hr");
}

function bubble(contents) {
  const made = element("div", { className: "bubble" });
  for (const name of ["header", "body", "footer"]) {
    if (contents[name]) {
      const part = component(contents[name], {});
      part.classList.add(name);
      made.append(part);
    }
  }
  return made;
}

function shown(entry) {
  if (entry.by === "person") return element("li", { className: "mine" }, element("p", { className: "said" }, entry.text));
  const { message } = entry;
  const content = message.type === "flex" ? bubble(message.contents) : element("p", { className: "said" }, message.text);
  return element("li", { className: "theirs" }, content);
}

function showMenu(state) {
  menu.replaceChildren();
  menuToggle.hidden = state === null;
  if (!state) return;
  menu.append(element("img", { src: "/line/menu.png", alt: "" }));
  for (const { bounds, action } of state.areas) {
    const area = button("", () => tap(action), { ariaLabel: action.label });
    area.style.left = `${(100 * bounds.x) / state.size.width}%`;
    area.style.top = `${(100 * bounds.y) / state.size.height}%`;
    area.style.width = `${(100 * bounds.width) / state.size.width}%`;
    area.style.height = `${(100 * bounds.height) / state.size.height}%`;
    menu.append(area);
  }
  menuToggle.textContent = state.chatBarText;
}

let before = "";
let menuBefore;

onState(({ line }) => {
  if (line.person === 0) {
    act("/line/follow");
    return;
  }
  if (JSON.stringify(line.menu) !== menuBefore) {
    menuBefore = JSON.stringify(line.menu);
    showMenu(line.menu);
  }
  const now = JSON.stringify(line);
  if (now === before) return;
  before = now;
  log.replaceChildren(...line.messages.map(shown));
  if (line.waiting) {
    log.append(element("li", { className: "theirs" }, element("p", { className: "said loading", ariaLabel: "入力中" }, "● ● ●")));
  }
  log.setAttribute("aria-busy", line.waiting || line.messages.at(-1)?.by === "person");
  const last = line.messages.at(-1);
  const items = last?.by === "account" ? (last.message.quickReply?.items ?? []) : [];
  quick.replaceChildren(...items.map(({ action }) => button(action.label, () => tap(action))));
  showEnd(log);
});

menuToggle.addEventListener("click", () => {
  menu.hidden = !menu.hidden;
  menuToggle.setAttribute("aria-expanded", !menu.hidden);
  showEnd(log);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  act("/line/say", { text: text.value });
  text.value = "";
});

document.getElementById("follow").addEventListener("click", () => act("/line/follow"));
