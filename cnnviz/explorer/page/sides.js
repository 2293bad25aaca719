// Two runs that were compared: which is which, and how far they are apart.

import { count, short, visible } from "./numbers.js";
import { addressOf } from "./route.js";
import { compared, page, run, say, titleOf } from "./store.js";
import { el, facts, named } from "./dom.js";

const SIDES = ["A", "B"];

/** "A" or "B"; nothing where there is one run. */
export function sideLetter(one) {
  return compared ? SIDES[page.runs.indexOf(one)] : "";
}

/** The letter of a run's side as a mark; null where there is one run. */
export function sideMark(one) {
  if (!compared) return null;
  const letter = sideLetter(one);
  const name = visible(compared.names[page.runs.indexOf(one)]);
  return [el("span", { class: `side side-${letter.toLowerCase()}`, title: name }, letter), " "];
}

/** A run's letter and name. */
export function sideName(one) {
  if (!compared) return null;
  return el("span", { class: "side-name" }, sideMark(one), named(compared.names[page.runs.indexOf(one)]));
}

/** Both names, to stand in the page's head. */
export function sidesLegend() {
  if (!compared) return null;
  return el("p", { class: "sides", "aria-label": say("compared") }, page.runs.map((one) => [sideName(one), " "]));
}

/** The channel's largest difference between the sides; NaN where there is none. */
export function apartOf(layer, channel) {
  const apart = layer.apart ?? layer.twin?.apart;
  return apart ? apart[channel] : NaN;
}

/** Whether the layer's two sides are the same, bit for bit. */
function areEqual({ compare }) {
  return compare?.reason === null && compare.max_abs_diff === 0 && compare.nonfinite === 0;
}

/** How alike the two sides of a layer are, in a few words. */
export function alikeText(layer) {
  const { compare } = layer;
  if (!compare) return null;
  if (compare.reason !== null) return say("not_compared", { reason: visible(compare.reason) });
  if (areEqual(layer)) return say("equal");
  if (compare.correlation === null) return say("apart", { far: short(compare.max_abs_diff) });
  return say("correlation_short", { value: correlationText(compare.correlation) });
}

/** What is known of a layer's differences. */
export function differences({ compare }) {
  if (!compare || compare.reason !== null) return null;
  return facts([
    [say("largest_apart"), short(compare.max_abs_diff)],
    [say("mean_apart"), short(compare.mean_abs_diff)],
    [say("relative_apart"), short(compare.relative)],
    [say("correlation"), compare.correlation === null ? null : correlationText(compare.correlation)],
    [say("nonfinite_apart"), compare.nonfinite ? count(compare.nonfinite) : null],
  ]);
}

/** Where the two begin to differ, and how alike they are layer by layer. */
export function comparison() {
  const layers = run.shown.filter((layer) => layer.twin);
  if (layers.length === 0) return null;
  return el("div", { class: "comparison" }, el("h2", {}, say("alike")), verdict(layers), bars(layers));
}

function verdict(layers) {
  if (compared.first_divergent !== null) {
    const layer = run.layerOfKey(compared.first_divergent);
    const link = el("a", { href: addressOf({ layer: layer.index }, page) }, named(titleOf(layer)));
    return el("p", {}, `${say("first_apart")}: `, link);
  }
  if (layers.every(areEqual)) return el("p", {}, say("all_equal", { count: layers.length }));
  if (compared.with.startsWith("image:")) return null;
  return el("p", {}, say("within_rounding", { limit: short(compared.limit) }));
}

/** A bar for each layer, as high as its correlation. */
function bars(layers) {
  if (layers.every(areEqual)) return null;
  const items = layers.map((layer) => {
    const said = `${visible(titleOf(layer))}: ${alikeText(layer)}`;
    const bar = el("span", { class: "alike-bar" });
    bar.style.height = `${100 * Math.max(0, areEqual(layer) ? 1 : (layer.compare.correlation ?? 0))}%`;
    return el("li", {}, el("a", { href: addressOf({ layer: layer.index }, page), title: said, "aria-label": said, class: `kind-${layer.kind}` }, bar));
  });
  return [
    el("ol", { class: "alike" }, items),
    el("p", { class: "hint" }, say("alike_hint")),
  ];
}

/** Correlations near 1 are told apart. */
function correlationText(value) {
  const digits = value > 0.999 && value < 1 ? 6 : 3;
  return value.toFixed(digits).replace("-", "−");
}
