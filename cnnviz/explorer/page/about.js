// The ledger of layers that are not shown, and how the page was made.

import { sizeText, visible } from "./numbers.js";
import { run, say, titleOf } from "./store.js";
import { commandLine, el, facts, named } from "./dom.js";

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
  const weights = Object.entries(run.weights ?? {}).map(([name, value]) => `${name}: ${value}`);
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`);
  return el(
    "details",
    { class: "panel", id: "making", open: true },
    el("summary", {}, el("h2", {}, say("making"))),
    run.command ? commandLine(run.command, say("copy")) : null,
    facts([
      [say("image"), run.image && named(run.image)],
      [say("model"), named(run.model)],
      [say("preprocessing"), lines(run.preprocess?.steps)],
      [say("weights"), lines(weights)],
      [say("selection"), run.selection ? visible(run.selection) : null],
      [say("notes"), lines(run.notes)],
      [say("versions"), lines(versions)],
    ]),
  );
}

function lines(texts) {
  if (!texts || texts.length === 0) return null;
  return el("ul", { class: "lines" }, texts.map((text) => el("li", {}, visible(text))));
}
