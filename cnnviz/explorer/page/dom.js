// Elements, made of text alone: no markup is ever read from a name.

import { visible } from "./numbers.js";

/** An element with attributes, listeners (onclick, …), properties that start with "." and children. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) element[name.slice(1)] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A name from outside: kept apart from the text around it, whichever way it is written. */
export function named(text, attributes = {}) {
  return el("bdi", attributes, visible(text));
}

/** A list of terms and what they say. */
export function facts(pairs, attributes = { class: "facts" }) {
  const rows = pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined);
  return el(
    "dl",
    attributes,
    rows.map(([term, ...said]) => el("div", {}, el("dt", {}, term), el("dd", {}, ...said))),
  );
}

/** A choice of one of several, with its label. */
export function choice(label, options, value, onchange) {
  const select = el(
    "select",
    { onchange: (event) => onchange(event.target.value) },
    options.map(([name, said]) => el("option", { value: name, selected: name === value }, said)),
  );
  return el("label", { class: "choice" }, el("span", {}, label), select);
}

/** Say something to those who listen to the page. */
export function announce(text) {
  document.getElementById("said").textContent = text;
}

/** A command line with a button that copies it. */
export function commandLine(text, label) {
  const code = el("code", { tabindex: "0" }, visible(text));
  const copy = async (event) => {
    try {
      await navigator.clipboard.writeText(text);
      event.target.textContent = "✓";
    } catch {
      getSelection().selectAllChildren(code); // where copying is not allowed, it is one key away
    }
  };
  return el("div", { class: "command" }, code, el("button", { type: "button", onclick: copy }, label));
}
