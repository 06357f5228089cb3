// A briefing session to rehearse: opened as from Slack, with a crowd in LINE and on the page.

import { act, onState } from "./page.js";

const crowd = document.getElementById("crowd");
const told = document.getElementById("briefing-told");

document.getElementById("open-briefing").addEventListener("click", () => act("/briefing/open"));
crowd.addEventListener("click", () => {
  act("/briefing/crowd");
  told.textContent = "50人が30秒の間に質問します。説明者の画面をご覧ください。";
});

onState(({ briefing }) => {
  crowd.disabled = !briefing;
  if (briefing && crowd.dataset.code !== briefing) {
    crowd.dataset.code = briefing;
    told.textContent = `番号 ${briefing} の説明会を開きました。リンクはSlackの画面にあります。`;
  }
});
