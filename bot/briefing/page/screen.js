// The projector: nothing to tap, the most asked first; what does not fit is counted.
import { api, code, follow, make, secretOf, showList, stateBadge } from "./live.js";

const DONE_SHOWN = 4;

const open = document.getElementById("open");
const more = document.getElementById("more");
let shown = null;

function item(matter) {
  return make(
    "li",
    { class: `screen-matter ${matter.state}` },
    make("span", { class: "screen-count" }, String(matter.count), make("small", {}, "人")),
    make("p", {}, make("span", { class: "matter-number" }, `Q${matter.number}`), matter.wording),
    matter.state === "answering" ? stateBadge(matter.state) : null,
  );
}

function doneItem(matter) {
  return make(
    "li",
    {},
    make("p", {}, make("span", { class: "matter-number" }, `Q${matter.number}`), matter.wording),
    make("p", { class: "screen-answer" }, matter.answer || { written: "", aloud: "口頭で回答しました", later: "後日回答します" }[matter.state]),
  );
}

function show({ board, address }) {
  shown = { board, address };
  const { matters, title, test, line, ended } = board;
  document.getElementById("title").textContent = title;
  document.title = title;
  document.getElementById("rehearsal").hidden = !test;
  const asked = matters.filter(({ state }) => state === "open" || state === "answering");
  const done = matters.filter((matter) => !asked.includes(matter));
  showList(open, asked, ({ number }) => number, item);
  document.getElementById("empty").hidden = asked.length > 0;
  document.getElementById("empty").textContent = ended ? "質問の受付は終わりました。" : "質問をお待ちしています。";
  showList(document.getElementById("done"), done.slice(0, DONE_SHOWN), ({ number }) => number, doneItem);
  document.getElementById("done-section").hidden = done.length === 0;
  document.getElementById("code").textContent = code;
  document.getElementById("address").textContent = address.replace(/^https?:\/\//, "");
  const codes = [["page", "ブラウザーで質問"], ...(line ? [["line", "LINEで質問"]] : [])];
  showList(document.getElementById("codes"), ended ? [] : codes, ([to]) => to, ([to, words]) =>
    make("figure", {}, make("img", { src: `/b/${code}/qr.svg?to=${to}`, alt: `${words}するためのQRコード` }), make("figcaption", {}, words)),
  );
  fit(asked.length);
}

// As many as fit are shown whole; a question that is cut helps nobody.
function fit(count) {
  for (const matter of open.children) matter.hidden = false;
  more.hidden = true;
  for (let last = count - 1; last > 0 && open.scrollHeight > open.clientHeight; last -= 1) {
    open.children[last].hidden = true;
    more.hidden = false;
    more.textContent = `ほか ${count - last}件`;
  }
}

addEventListener("resize", () => shown && show(shown));
addEventListener("keydown", ({ key }) => {
  if (key !== "d") return; // for whoever sets the projector up
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
});

const refused = await follow(
  `${api}/screen/events`,
  { Authorization: `Bearer ${secretOf("screen")}` },
  show,
  (connected) => (document.getElementById("away").hidden = connected),
);
document.getElementById("empty").textContent = refused;
