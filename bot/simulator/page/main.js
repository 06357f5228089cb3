import "./briefing.js";
import "./line.js";
import "./slack.js";
import { refresh } from "./page.js";

const EVERY = 500; // milliseconds

async function keepUp() {
  if (!document.hidden) await refresh();
  setTimeout(keepUp, EVERY);
}
keepUp();
