// Layers, channels and numbers on canvas, in the colours that are chosen.

import { clipped } from "./window.js";
import { short } from "./numbers.js";
import { colored, inkOn, lookupTable, placeOf, scaleRange } from "./levels.js";
import { channelsOf, layerRange, page, rangeOf, sharedRange, statisticOf } from "./store.js";
import { chosen, keepDrawn } from "./state.js";
import { el } from "./dom.js";

const DIVERGING = "RdBu";

/** The colours of one channel's levels; two runs have one scale, so that colours are comparable. */
export function tableOf(layer, channel) {
  const own = rangeOf(layer, channel);
  const both = layer.twin ? sharedRange(layer, (one) => rangeOf(one, channel)) : own;
  const range = scaleRange(chosen.scale, both, sharedRange(layer, layerRange));
  return lookupTable(page.maps[chosen.map], own, range);
}

/** A canvas of one channel; its pixels are those of the sheet. */
export function channelCanvas(layer, channel) {
  return canvasOf(layer, channel, layer.view.cell, () => layer.run.cell(layer, channel));
}

/** A canvas of one of the overview's channels. */
export function tellingCanvas(layer, channel) {
  const { cell } = layer.few ?? layer.view;
  return canvasOf(layer, channel, cell, () => layer.run.telling(layer, channel));
}

function canvasOf(layer, channel, [height, width], read) {
  const canvas = el("canvas", { width, height, "aria-hidden": "true" });
  keepDrawn(canvas, async () => {
    const levels = await read();
    paint(canvas, colored(levels, tableOf(layer, channel)));
  });
  return canvas;
}

function paint(canvas, pixels) {
  const image = new ImageData(pixels, canvas.width, canvas.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A canvas of a layer of single numbers: one pixel for each, below each other. */
export function valuesCanvas(layer) {
  const channels = channelsOf(layer);
  const canvas = el("canvas", { width: 1, height: channels.length, "aria-hidden": "true" });
  keepDrawn(canvas, () => {
    const pixels = channels.flatMap((channel) => [...colorOfNumber(layer, channel), 255]);
    paint(canvas, new Uint8ClampedArray(pixels));
  });
  return canvas;
}

/** The colour of a channel that is a single number, on the scale of its layer. */
export function colorOfNumber(layer, channel) {
  const scale = chosen.scale === "channel" ? "layer" : chosen.scale;
  const range = scaleRange(scale, null, sharedRange(layer, layerRange));
  return colorAt(chosen.map, placeOf(statisticOf(layer, channel, "mean"), range));
}

/** The number that a channel is, on its colour. */
export function numberCell(layer, channel) {
  const cell = el("span", { class: "number" }, short(statisticOf(layer, channel, "mean")));
  keepDrawn(cell, () => tint(cell, colorOfNumber(layer, channel)));
  return cell;
}

function colorAt(map, place) {
  return page.maps[map].subarray(3 * place, 3 * place + 3);
}

/** Give an element the colour of a number, and an ink that can be read on it. */
export function tint(element, color) {
  element.style.backgroundColor = `rgb(${color.join(" ")})`;
  element.style.color = inkOn(color);
}

/** The colour of a value in the chosen map. */
export function colorOf(value, range) {
  return colorAt(chosen.map, placeOf(value, range));
}

/** The colour of a weight: zero is in the middle. */
export function colorOfWeight(weight, most) {
  return colorAt(DIVERGING, placeOf(weight, [-most, most]));
}

/** A canvas of a kernel's weights. */
export function kernelCanvas(weights, [height, width], most) {
  const canvas = el("canvas", { width, height, "aria-hidden": "true" });
  const pixels = Array.from(weights).flatMap((weight) => [...colorOfWeight(weight, most), 255]);
  paint(canvas, new Uint8ClampedArray(pixels));
  return canvas;
}

/** A canvas of the colour map from its low to its high end. */
export function colorBar() {
  const canvas = el("canvas", { width: 256, height: 1, "aria-hidden": "true" });
  const levels = Uint8Array.from({ length: 256 }, (_, n) => n);
  keepDrawn(canvas, () => paint(canvas, colored(levels, lookupTable(page.maps[chosen.map], null, null))));
  return canvas;
}

/** Dim a canvas outside of a rectangle given in an image's pixels, and draw its edge. */
export function drawField(context, field, size) {
  const { width, height } = context.canvas;
  const [down, across] = [height / size[0], width / size[1]];
  const seen = clipped(field, size);
  const box = [seen.left * across, seen.top * down, seen.width * across, seen.height * down];
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(...box);
  context.fillStyle = "rgb(0 0 0 / 0.45)";
  context.fill("evenodd");
  for (const [color, thickness] of [
    ["#000", 5],
    ["#ffd400", 3],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = thickness;
    context.strokeRect(...inset(box, 2.5));
  }
  context.restore();
}

function inset([x, y, width, height], by) {
  return [x + by, y + by, Math.max(1, width - 2 * by), Math.max(1, height - 2 * by)];
}
