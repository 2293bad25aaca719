// Finding a layer by typing.

import { foundLayers } from "./choose.js";
import { sizeText, visible } from "./numbers.js";
import { addressOf } from "./route.js";
import { page, run, say, titleOf } from "./store.js";
import { announce, el, named } from "./dom.js";

const MOST = 12;

/** The field in the page's head, with what it finds below it. */
export function search() {
  const found = el("ul", { class: "found", hidden: true });
  const input = el("input", {
    type: "search",
    placeholder: say("search_example"),
    "data-search": true,
    oninput: () => showFound(input, found),
    onkeydown: (event) => {
      if (event.key === "ArrowDown") focusOn(found.querySelector("a"), event);
      if (event.key === "Enter") found.querySelector("a")?.click();
      if (event.key === "Escape") close(input, found);
    },
  });
  found.addEventListener("keydown", (event) => {
    const line = event.target.closest("li");
    if (event.key === "ArrowDown") focusOn(line.nextElementSibling?.querySelector("a"), event);
    if (event.key === "ArrowUp") focusOn(line.previousElementSibling?.querySelector("a") ?? input, event);
    if (event.key === "Escape") focusOn(input, event);
  });
  found.addEventListener("click", () => close(input, found));
  return el("div", { class: "search" }, el("label", { class: "choice" }, el("span", {}, say("search")), input), found);
}

function showFound(input, found) {
  const layers = foundLayers(run.shown, input.value);
  found.hidden = input.value.trim() === "";
  found.replaceChildren(...layers.slice(0, MOST).map(item));
  const said = layers.length ? say("found", { count: layers.length }) : say("found_none");
  if (layers.length === 0) found.append(el("li", { class: "hint" }, said));
  announce(said);
}

function item(layer) {
  return el(
    "li",
    {},
    el(
      "a",
      { href: addressOf({ layer: layer.index }, page) },
      named(titleOf(layer)),
      el("span", { class: "hint" }, ` ${visible(layer.key)} · ${visible(layer.type)} · ${sizeText(layer.shape)}`),
    ),
  );
}

function focusOn(element, event) {
  if (!element) return;
  element.focus();
  event.preventDefault();
  event.stopPropagation();
}

function close(input, found) {
  input.value = "";
  found.hidden = true;
}
