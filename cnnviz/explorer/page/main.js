// The page: its head, and the view that the address names.

import { visible } from "./numbers.js";
import { addressOf, readRoute } from "./route.js";
import { page, run, say, titleOf } from "./store.js";
import { allDrawn, choose, chosen, forgetOld, restoreTheme, setTheme, theme } from "./state.js";
import { announce, choice, el, named } from "./dom.js";
import { sidesLegend } from "./sides.js";
import { overview } from "./overview.js";
import { layerPage } from "./layer.js";
import { channelPage } from "./channel.js";
import { search } from "./search.js";
import { helpDialog, listenToKeys } from "./keys.js";

const SCALES = ["channel", "layer", "symmetric"];
const THEMES = ["auto", "light", "dark"];
const DIVERGING_MAPS = ["RdBu", "RdBu_r", "PuOr"];

const view = el("main", { id: "view" });
const maps = choice(say("colors"), Object.keys(page.maps).map((name) => [name, name]), chosen.map, setMap);
const scales = choice(say("scale"), SCALES.map((name) => [name, say(`scale_${name}`)]), chosen.scale, setScale);

let sequential = chosen.map;

function setMap(map) {
  if (!DIVERGING_MAPS.includes(map)) sequential = map;
  choose({ map });
}

/** Around zero a map with a middle says more, and elsewhere one without. */
function setScale(scale) {
  const middle = DIVERGING_MAPS.includes(chosen.map);
  const map = scale === "symmetric" ? (middle ? chosen.map : DIVERGING_MAPS[0]) : sequential;
  choose({ scale, map });
  maps.querySelector("select").value = chosen.map;
}

function head() {
  const themes = el("button", {
    type: "button",
    class: "icon",
    onclick: () => {
      setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
      label(themes);
    },
  });
  label(themes);
  const help = el("button", { type: "button", class: "icon", "aria-label": say("help"), title: `${say("help")} (?)`, onclick: () => document.getElementById("help").showModal() }, "?");
  return el(
    "header",
    { class: "top" },
    el("div", {}, el("a", { href: addressOf({}, page), class: "brand" }, named(run.title)), sidesLegend()),
    el("div", { class: "tools" }, search(), maps, scales, themes, help),
  );
}

function label(button) {
  const said = say(`theme_${theme()}`);
  button.textContent = { auto: "◐", light: "☀", dark: "☾" }[theme()];
  button.setAttribute("aria-label", said);
  button.title = said;
}

function nextOf(name) {
  const select = (name === "map" ? maps : scales).querySelector("select");
  select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
  select.dispatchEvent(new Event("change"));
  announce(select.selectedOptions[0].textContent);
}

let last = 0;

async function show() {
  const turn = (last += 1);
  const { layer: index, channel, at } = readRoute(location.hash);
  const layer = run.layer(index ?? page.only);
  const parts = await viewOf(layer, channel, at);
  if (turn !== last) return; // the reader has gone on meanwhile
  view.replaceChildren(...parts.flat().filter(Boolean));
  forgetOld();
  document.title = [layer && visible(titleOf(layer)), run.title, "cnnviz"].filter(Boolean).join(" · ");
  if (turn > 1) {
    scrollTo(0, 0);
    view.querySelector("h1")?.focus({ preventScroll: true });
    if (!layer) view.querySelector(".card-title")?.focus({ preventScroll: true });
  }
  await allDrawn();
  document.documentElement.dataset.ready = "true";
}

/** In a frame without an address of its own a link to "#…" would lead to the page around it. */
function stayInside(event) {
  const fragment = event.target.closest("a")?.getAttribute("href");
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  if (!plain || !fragment?.startsWith("#/")) return;
  event.preventDefault();
  location.hash = fragment;
}

async function viewOf(layer, channel, at) {
  if (!layer) return overview();
  if (channel === null || channel >= layer.shape[0]) return layerPage(layer);
  return channelPage(layer, channel, at);
}

function start() {
  restoreTheme();
  const { scale, colors } = run;
  choose({ map: colors in page.maps ? colors : chosen.map, scale: SCALES.includes(scale) ? scale : chosen.scale });
  maps.querySelector("select").value = chosen.map;
  setMap(chosen.map);
  scales.querySelector("select").value = chosen.scale;
  const skip = el("a", { href: "#view", class: "skip", onclick: (event) => { event.preventDefault(); view.querySelector("a, h1")?.focus(); } }, say("skip"));
  const said = el("p", { id: "said", class: "unseen", role: "status", "aria-live": "polite" });
  document.getElementById("page").replaceWith(skip, head(), view, el("footer", {}, `cnnviz ${run.cnnviz ?? ""}`), said, helpDialog());
  listenToKeys(nextOf);
  document.addEventListener("click", stayInside);
  addEventListener("hashchange", show);
  show();
}

start();
