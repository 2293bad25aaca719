// The ledger of layers that are not shown, and how the page was made.

import { sizeText, visible } from "./numbers.js";
import { page, run, say, titleOf } from "./store.js";
import { commandLine, el, facts, named } from "./dom.js";
import { sideName } from "./sides.js";

/** Every layer of the model that the page does not show, with the reason. */
export function ledger() {
  const skipped = run.layers.filter((layer) => !layer.statistics);
  if (skipped.length === 0) return null;
  const rows = skipped.map((layer) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, named(titleOf(layer))),
      el("td", {}, visible(layer.type)),
      el("td", {}, layer.shape ? sizeText(layer.shape) : "—"),
      el("td", {}, visible(layer.reason ?? "—")),
    ),
  );
  const heads = ["layer", "type", "size", "reason"].map((name) => el("th", { scope: "col" }, say(name)));
  return el(
    "details",
    { class: "panel", id: "ledger" },
    el("summary", {}, el("h2", {}, `${say("skipped")} (${skipped.length})`)),
    el("div", { class: "scrolls", tabindex: "0" }, el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows))),
  );
}

/** Command, versions, preprocessing, weights. */
export function making() {
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`);
  return el(
    "details",
    { class: "panel", id: "making", open: true },
    el("summary", {}, el("h2", {}, say("making"))),
    run.command ? commandLine(run.command, say("copy")) : null,
    el("div", {}, sideName(run), facts([...factsOf(run), [say("versions"), lines(versions)]])),
    page.runs.slice(1).map((one) => el("div", {}, sideName(one), facts(otherFacts(one)))),
  );
}

/** What a run was made of. */
function factsOf(one) {
  return [
    [say("image"), one.image && named(one.image)],
    [say("model"), named(one.model)],
    [say("precision"), one.precision && one.precision !== "float32" ? one.precision : null],
    [say("preprocessing"), lines(one.preprocess?.steps)],
    [say("weights"), lines(weightLines(one))],
    [say("selection"), one.selection ? visible(one.selection) : null],
    [say("notes"), lines(one.notes)],
  ];
}

/** What of the second run is not as in the first. */
function otherFacts(one) {
  const before = factsOf(run).map(([, said]) => textOf(said));
  return factsOf(one).filter(([, said], place) => textOf(said) !== before[place]);
}

function textOf(said) {
  return said?.textContent ?? said;
}

function weightLines({ weights }) {
  return Object.entries(weights ?? {}).map(([name, value]) => `${name}: ${value}`);
}

function lines(texts) {
  if (!texts || texts.length === 0) return null;
  return el("ul", { class: "lines" }, texts.map((text) => el("li", {}, visible(text))));
}
