// The keyboard: everything that a pointer can do, and the help that says so.

import { say } from "./store.js";
import { el } from "./dom.js";

const HELP = [
  ["← → ↑ ↓", "key_arrows"],
  ["Enter", "key_enter"],
  ["Esc", "key_escape"],
  ["[ ]", "key_brackets"],
  ["/", "key_search"],
  ["C", "key_colors"],
  ["S", "key_scale"],
  ["?", "key_help"],
];

/** The dialog that lists the keys. */
export function helpDialog() {
  const rows = HELP.map(([keys, said]) => el("div", {}, el("dt", {}, el("kbd", {}, keys)), el("dd", {}, say(said))));
  const close = el("button", { type: "button", onclick: (event) => event.target.closest("dialog").close() }, say("close"));
  return el(
    "dialog",
    { id: "help", "aria-labelledby": "help-title" },
    el("h2", { id: "help-title" }, say("help")),
    el("p", {}, say("help_intro")),
    el("dl", { class: "keys" }, rows),
    close,
  );
}

/** Listen to the keys that work everywhere; `next` moves a choice on. */
export function listenToKeys(next) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input:not([type=range]), select, textarea");
    if (typing && event.key !== "Escape") return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    const act = actions(next)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act && act(event) !== false) event.preventDefault();
  });
}

function actions(next) {
  return {
    "?": () => document.getElementById("help").showModal(),
    "/": () => (document.querySelector("[data-find]") ?? document.querySelector("[data-search]")).focus(),
    "[": () => follow("[data-before]"),
    "]": () => follow("[data-after]"),
    c: () => next("map"),
    s: () => next("scale"),
    Escape: (event) => (event.target.matches("input, select") ? event.target.blur() : follow("[data-up]")),
    ArrowLeft: () => walk(-1, 0),
    ArrowRight: () => walk(1, 0),
    ArrowUp: () => walk(0, -1),
    ArrowDown: () => walk(0, 1),
  };
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (!link) return false;
  link.click();
  return true;
}

/** Move the focus among the cards of the overview or the tiles of a layer. */
function walk(across, down) {
  const here = document.activeElement;
  if (here.closest(".flow")) return walkFlow(here, across, down);
  if (here.matches("[data-tile]")) return walkGrid(here, across, down);
  const first = document.querySelector(".flow .card-title, li:not([hidden]) > [data-tile], [data-map]");
  if (!first || here.closest("header.top, dialog, .scrolls")) return false;
  first.focus();
  return true;
}

function walkFlow(here, across, down) {
  const card = here.closest(".card");
  const place = [...card.querySelectorAll("a")].indexOf(here);
  const target = across > 0 ? card.nextElementSibling : across < 0 ? card.previousElementSibling : card;
  const links = target ? [...target.querySelectorAll("a")] : [];
  const link = links[Math.min(links.length - 1, Math.max(0, place + down))];
  link?.focus();
  return Boolean(link);
}

function walkGrid(here, across, down) {
  const tiles = [...document.querySelectorAll("li:not([hidden]) > [data-tile]")];
  const place = tiles.indexOf(here);
  const top = (tile) => Math.round(tile.getBoundingClientRect().top);
  const columns = tiles.filter((tile) => top(tile) === top(tiles[0])).length;
  const target = tiles[place + across + down * columns];
  target?.focus();
  return Boolean(target);
}
