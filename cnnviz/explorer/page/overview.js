// The whole model on the image: what it saw, what it says, and its layers in order.

import { count, percent, sizeText, visible } from "./numbers.js";
import { addressOf } from "./route.js";
import { bothOf, channelsOf, compared, page, run, say, titleOf } from "./store.js";
import { numberCell, tellingCanvas, valuesCanvas } from "./paint.js";
import { el, named } from "./dom.js";
import { alikeText, comparison, sideMark, sideName } from "./sides.js";
import { ledger, making } from "./about.js";

const FEW_LAYERS = 14;
const FEW_VALUES = 12;
const FIRST_CLASSES = 5;

/** The page that opens first. */
export function overview() {
  return [
    el("h1", { class: "unseen", tabindex: "-1" }, say("overview")),
    el("section", { class: "summary" }, seen(), predictions(), outline()),
    el("section", { "aria-label": say("layers") }, el("h2", {}, say("layers")), el("p", { class: "hint" }, say("flow_hint")), flow()),
    ledger(),
    making(),
  ];
}

function seen() {
  const areSame = page.runs.every((one) => one.input.picture === run.input.picture);
  const shown = areSame ? [run] : page.runs;
  const figures = shown.filter((one) => one.input.picture).map((one) => inputFigure(one, shown.length > 1));
  return el("div", { class: "panel inputs" }, el("h2", {}, say("input")), el("div", {}, figures));
}

function inputFigure(one, isMarked) {
  const [height, width] = one.input.picture_size;
  const image = el("img", { src: one.input.picture, alt: say("input"), width, height, class: "seen" });
  const size = one.input.shape && sizeText(one.input.shape);
  return el("figure", {}, image, el("figcaption", {}, isMarked && sideMark(one), size));
}

function predictions() {
  const asked = page.runs.filter((one) => one.predictions.length > 0);
  if (asked.length === 0) return null;
  return el(
    "div",
    { class: "panel predictions" },
    el("h2", {}, say("predictions")),
    el("div", { class: asked.length > 1 ? "beside" : null }, asked.map(predictionsOf)),
  );
}

function predictionsOf(one) {
  const rows = one.predictions.map(prediction);
  const list = el("ol", {}, rows.slice(0, FIRST_CLASSES));
  const more = (event) => {
    list.replaceChildren(...rows);
    event.target.remove();
  };
  return el(
    "div",
    {},
    sideName(one),
    list,
    el(
      "p",
      { class: "hint" },
      one.predictions_from && visible(one.predictions_from),
      rows.length > FIRST_CLASSES && el("button", { type: "button", onclick: more }, say("more_classes", { count: rows.length })),
    ),
  );
}

function prediction({ label, probability }) {
  const bar = el("span", { class: "bar" });
  bar.style.width = `${100 * (probability ?? 0)}%`;
  return el(
    "li",
    {},
    named(label, { class: "label", title: visible(label) }),
    el("span", { class: "track", "aria-hidden": "true" }, bar),
    el("span", { class: "share" }, probability === null ? "—" : percent(probability)),
  );
}

function outline() {
  const skipped = run.layers.length - run.shown.length;
  const verified = run.shown.filter((layer) => layer.verified).length;
  const maps = run.shown.reduce((sum, layer) => sum + layer.shape[0], 0);
  const figures = [
    [run.shown.length, say(run.shown.length === 1 ? "layer_shown" : "layers_shown")],
    [maps, say(maps === 1 ? "channel_all" : "channels_all")],
    [verified, say(verified === 1 ? "layer_verified" : "layers_verified")],
    [skipped, say(skipped === 1 ? "layer_skipped" : "layers_skipped")],
  ];
  return el(
    "div",
    { class: "panel outline" },
    el("h2", {}, say("at_a_glance")),
    el(
      "ul",
      {},
      figures.map(([number, what]) => el("li", {}, el("strong", {}, count(number)), ` ${what}`)),
    ),
    run.hooks_change_nothing === true && el("p", { class: "hint" }, say("hooks")),
    comparison(),
  );
}

function flow() {
  const few = run.shown.length <= FEW_LAYERS;
  const cards = run.shown.map((layer) => card(layer, few ? 6 : 4));
  const list = el("ol", { class: `flow${few ? "" : " many"}${compared ? " paired" : ""}` }, cards);
  list.style.setProperty("--layers", cards.length);
  return list;
}

function card(layer, thumbs) {
  const title = el(
    "a",
    { href: addressOf({ layer: layer.index }, page), class: "card-title", "data-layer": layer.index },
    layerName(titleOf(layer)),
    el("span", { class: "layer-type" }, visible(layer.type)),
    el("span", { class: "layer-size" }, layer.shape.join("×")),
  );
  return el("li", { class: `card kind-${layer.kind}` }, title, pictures(layer, thumbs), foot(layer));
}

/** A name that may be broken after its dots. */
function layerName(name) {
  const parts = visible(name).split(/(?<=\.)/);
  return el("bdi", { class: "layer-name" }, parts.flatMap((part) => [part, el("wbr")]));
}

function foot(layer) {
  const dead = layer.flags.dead?.length;
  return el(
    "p",
    { class: "card-foot" },
    layer.parameters ? say("parameters_short", { count: count(layer.parameters) }) : "\u00a0",
    dead ? el("span", { class: "flag" }, ` ${say("dead_of", { dead, all: layer.shape[0] })}`) : null,
    layer.compare && el("span", { class: "alike-text" }, alikeText(layer)),
  );
}

function pictures(layer, most) {
  if (!layer.view) return el("div", { class: "thumbs" }, values(layer));
  if (!run.hasSheet(layer)) return null;
  const links = layer.telling.slice(0, most).map((channel) =>
    el(
      "a",
      {
        href: addressOf({ layer: layer.index, channel }, page),
        class: layer.twin ? "thumb pair" : "thumb",
        tabindex: "-1",
        "aria-label": say("channel_of", { channel, layer: visible(titleOf(layer)) }),
        title: say("channel_number", { channel }),
      },
      bothOf(layer).map((one) => tellingCanvas(one, channel)),
    ),
  );
  return el("div", { class: `thumbs ${layer.view.kind}` }, links);
}

function values(layer) {
  if (layer.shape[0] > FEW_VALUES) {
    return el(
      "div",
      { class: "strips-beside" },
      bothOf(layer).map((one) => {
        const canvas = valuesCanvas(one);
        canvas.className = "strip";
        return canvas;
      }),
    );
  }
  return el("ul", { class: "cells" }, channelsOf(layer).map((channel) => value(layer, channel)));
}

function value(layer, channel) {
  const label = layer.labels[channel];
  return el("li", {}, named(label ?? channel), bothOf(layer).map((one) => numberCell(one, channel)));
}
