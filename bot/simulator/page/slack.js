// The window of Slack: a channel, direct messages, the assistant's pane, the home tab and modals.
// Blocks: https://docs.slack.dev/reference/block-kit/blocks, text: https://docs.slack.dev/messaging/formatting-message-text

import { act as actAs, button, element, link, onState, showEnd } from "./page.js";

const NAME = "支援事業の窓口";
const PLACES = { channel: "# 支援事業", desk: "# 職員の窓口", direct: NAME, assistant: "アシスタント", home: "アプリのホーム" };
const THREADED = ["channel", "desk"];
// The signs that the app uses, drawn so that no font of emoji is needed: the character and its look.
const EMOJI = {
  white_check_mark: ["✓", "yes"],
  no_entry: ["×", "no"],
  warning: ["!", "depends"],
  grey_question: ["?", "asks"],
  heavy_minus_sign: ["−", "silent"],
  small_blue_diamond: ["◆", "plain-sign"],
};

const PEOPLE = { U1: "あなた", U2: "佐藤" };

const log = document.getElementById("slack-log");
const who = document.getElementById("who");
const home = document.getElementById("home");
const form = document.getElementById("slack-form");
const text = document.getElementById("slack-text");
const mentions = document.getElementById("mentions");
const modal = document.getElementById("modal");
const replying = document.getElementById("replying");

let place = "channel";
let thread = "";
let state = null;
let shownModal = null;

/** Tells the simulator what the one of the two people does who is chosen. */
function act(path, wish = {}) {
  return actAs(path, { user: who.value, ...wish });
}

// --- text ---

function unescaped(words) {
  return words.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Slack's own markup, as far as the app uses it: links, mentions, bold, emoji and quotes. */
function mrkdwn(words) {
  const made = document.createDocumentFragment();
  for (const line of words.split("\n")) {
    const quoted = line.startsWith(">");
    const target = element(quoted ? "blockquote" : "div");
    for (const piece of line.replace(/^>/, "").split(/(<[^>]*>|\*[^*]+\*|:[a-z_]+:)/)) {
      if (piece.startsWith("<@")) target.append(element("span", { className: "mention" }, mentioned(piece)));
      else if (piece.startsWith("<!date")) target.append(dated(...piece.slice(1, -1).split("|")));
      else if (piece.startsWith("<!")) target.append(element("span", { className: "mention" }, `@${piece.slice(2, -1)}`));
      else if (piece.startsWith("<")) target.append(link(...linked(piece)));
      else if (/^\*[^*]+\*$/.test(piece)) target.append(element("strong", {}, unescaped(piece.slice(1, -1))));
      else if (piece.slice(1, -1) in EMOJI) target.append(emoji(...EMOJI[piece.slice(1, -1)]));
      else target.append(unescaped(piece));
    }
    made.append(target);
  }
  return made;
}

function emoji(sign, look) {
  return element("span", { className: `emoji ${look}`, ariaHidden: "true" }, sign);
}

function mentioned(piece) {
  const id = piece.slice(2, -1);
  return `@${id === "UBOT" ? NAME : (PEOPLE[id] ?? id)}`;
}

/** A moment as Slack writes it where {ago} is asked for, behind the fallback that says it in full. */
function dated(token, full) {
  const [, stamp, form] = token.split("^");
  const minutes = Math.max(0, Math.floor((Date.now() / 1000 - Number(stamp)) / 60));
  const ago = minutes < 60 ? `${minutes}分前` : minutes < 48 * 60 ? `${Math.floor(minutes / 60)}時間前` : `${Math.floor(minutes / 1440)}日前`;
  return form.includes("{ago}") ? `${full}(${ago})` : full;
}

function linked(piece) {
  const [address, words] = piece.slice(1, -1).split("|");
  return [unescaped(words ?? address), address];
}

function written(part) {
  if (part.type === "plain_text") return element("div", { className: "plain" }, part.text);
  return mrkdwn(part.text);
}

// --- blocks ---

function blocks(list, tap) {
  return list.map((block) => element("div", { className: `block ${block.type}` }, ...parts[block.type](block, tap)));
}

const parts = {
  section: (block) => [written(block.text)],
  header: (block) => [element("h4", {}, block.text.text)],
  divider: () => [element("hr")],
  context: (block) => block.elements.map((part) => element("div", {}, written(part))),
  actions: (block, tap) => {
    const tapIn = (part) => tap(block.block_id ? { ...part, block_id: block.block_id } : part);
    return block.elements.map((part) => (part.type === "static_select" ? menu(part, tapIn) : tappable(part, tapIn)));
  },
  context_actions: (block, tap) => block.elements.flatMap((part) => feedback(part, tap)),
  input: (block) => [field(block)],
};

function tappable(part, tap) {
  return button(part.text.text, () => tap(part), { className: part.style ?? "" });
}

function menu(part, tap) {
  const made = element("select", { ariaLabel: part.placeholder.text }, ...options(part).map(([value, words]) => element("option", { value }, words)));
  made.addEventListener("change", () => tap({ type: part.type, action_id: part.action_id, selected_option: { value: made.value } }));
  return made;
}

function feedback(part, tap) {
  const rate = (side) => () => tap({ type: part.type, action_id: part.action_id, value: part[side].value });
  return [
    button(part.positive_button.text.text, rate("positive_button"), { className: "feedback" }),
    button(part.negative_button.text.text, rate("negative_button"), { className: "feedback" }),
  ];
}

function field(block) {
  const { element: input } = block;
  const data = { block: block.block_id, action: input.action_id, type: input.type };
  const made =
    input.type === "static_select"
      ? element("select", { required: true, data }, ...options(input).map(([value, words]) => element("option", { value }, words)))
      : element("textarea", {
          required: !block.optional,
          rows: input.multiline ? 6 : 1,
          maxLength: input.max_length ?? 3000,
          value: input.initial_value ?? "",
          data,
        });
  return element("label", {}, element("span", {}, block.label.text), made);
}

function options(input) {
  return [["", input.placeholder.text], ...input.options.map((option) => [option.value, option.text.text])];
}

// --- messages ---

function message(said) {
  const byApp = Boolean(said.bot_id) || said.private || said.response_type;
  const { channel, ts, thread_ts, text } = said;
  const tap = (action) => act("/slack/tap", { place, action, message: { channel, ts, thread_ts, text }, private: Boolean(said.private) });
  const content = said.blocks?.length ? blocks(said.blocks, tap) : [mrkdwn(said.text)];
  const tools = element("div", { className: "tools" });
  const shortcut = () => act("/slack/shortcut", { place, text: said.text, ts: said.ts });
  if (!byApp && place === "channel") tools.append(button("この質問に答える", shortcut));
  if (!byApp && place === "desk" && said.thread_ts) tools.append(button("質問者に送る", shortcut));
  if (!said.thread_ts && THREADED.includes(place) && !said.private) tools.append(button("スレッドで返信", () => reply(said.ts)));
  const name = element("p", { className: "name" }, byApp ? `${NAME} ` : (PEOPLE[said.user] ?? said.user));
  if (byApp) name.append(element("span", { className: "badge" }, "アプリ"));
  return element(
    "li",
    { className: `message${said.private ? " private" : ""}` },
    element("span", { className: byApp ? "face app" : "face", ariaHidden: "true" }, byApp ? "窓" : "私"),
    element(
      "div",
      { className: "body" },
      name,
      said.private ? element("p", { className: "only" }, "あなただけに表示されています") : null,
      ...content,
      THREADED.includes(place) ? tools : null,
    ),
  );
}

function reply(ts) {
  thread = ts;
  show();
  text.focus();
}

/** Messages in their order, each thread's replies under its first message. */
function threads(messages) {
  if (place === "assistant") return messages.map(message);
  return messages
    .filter((said) => !said.thread_ts || said.thread_ts === said.ts)
    .map((said) => {
      const made = message(said);
      const replies = messages.filter((other) => other.thread_ts === said.ts && other.ts !== said.ts);
      if (replies.length) made.querySelector(".body").append(element("ol", { className: "replies" }, ...replies.map(message)));
      return made;
    });
}

// --- the window ---

function show() {
  const slack = state;
  for (const entry of document.querySelectorAll("[data-place]")) entry.setAttribute("aria-pressed", entry.dataset.place === place);
  document.getElementById("place").textContent = place === "assistant" && slack.title ? slack.title : PLACES[place];
  document.getElementById("new-thread").hidden = place !== "assistant";
  document.getElementById("mentions-label").hidden = place !== "channel";
  replying.hidden = !(thread && THREADED.includes(place));
  home.hidden = place !== "home";
  log.parentElement.hidden = place === "home";
  form.hidden = place === "home" || (place === "desk" && !thread); // officials talk in the threads of the cards
  document.getElementById("status").textContent = slack.status;
  const prompts = place === "assistant" && slack.assistant.length === 1 ? slack.prompts : [];
  document.getElementById("prompts").replaceChildren(...prompts.map((prompt) => button(prompt.title, () => say(prompt.message))));
  if (place === "home") home.replaceChildren(...blocks(slack.homes[who.value]?.blocks ?? [], (action) => tapHome(action)));
  else log.replaceChildren(...threads(slack[place]));
  showEnd(log);
  if (JSON.stringify(slack.modal) !== JSON.stringify(shownModal)) showModal(slack.modal);
}

async function tapHome(action) {
  await act("/slack/tap", { place, action });
  if (action.action_id.startsWith("say_")) move("direct"); // there the app answers
}

function showModal(view) {
  shownModal = view;
  if (!view) {
    modal.close();
    return;
  }
  const content = element("form", {}, element("h4", { id: "modal-title" }, view.title.text), ...blocks(view.blocks, (action) => act("/slack/tap", { place: "modal", action })));
  const buttons = element("div", { className: "modal-buttons" }, button(view.close.text, () => act("/slack/close")));
  if (view.submit) buttons.append(element("button", { type: "submit", className: "primary" }, view.submit.text));
  content.append(buttons);
  if (modal.open) keepTyped(content);
  content.addEventListener("submit", (event) => {
    event.preventDefault();
    act("/slack/submit", { values: values(content) });
  });
  modal.replaceChildren(content);
  if (!modal.open) modal.showModal();
}

/** A view that is replaced keeps what was typed in a field of the same name. */
function keepTyped(content) {
  for (const input of content.querySelectorAll("[data-block]")) {
    const before = modal.querySelector(`[data-block="${input.dataset.block}"]`);
    if (before?.value) input.value = before.value;
  }
}

function values(content) {
  const filled = {};
  for (const input of content.querySelectorAll("[data-block]")) {
    const { block, action, type } = input.dataset;
    const value = type === "static_select" ? { type, selected_option: { value: input.value } } : { type, value: input.value || null };
    filled[block] = { [action]: value };
  }
  return filled;
}

function say(words) {
  act("/slack/say", { place, text: words, mentions: mentions.checked, thread: place === "assistant" ? state.pane : thread });
}

async function move(to) {
  place = to;
  thread = "";
  if (to === "home" || (to === "assistant" && !state.pane)) await act("/slack/open", { place });
  show();
}

onState((now) => {
  state = now.slack;
  show();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  say(text.value);
  text.value = "";
});
modal.addEventListener("cancel", () => act("/slack/close"));
who.addEventListener("change", () => move(place));
document.getElementById("stop-replying").addEventListener("click", () => reply(""));
document.getElementById("new-thread").addEventListener("click", () => act("/slack/open", { place: "assistant" }));
for (const entry of document.querySelectorAll("[data-place]")) entry.addEventListener("click", () => move(entry.dataset.place));
