// A convolution's value as the sum that it is: window times kernel, input channel by input channel.

import { exactText, short, sizeText, sumText, visible } from "./numbers.js";
import { cornerOf, windowAt } from "./window.js";
import { stepCommand } from "./command.js";
import { mapSize, rangeOf, say, sharedRange, sourceOf, titleOf } from "./store.js";
import { sideMark } from "./sides.js";
import { channelCanvas, colorOf, colorOfWeight, kernelCanvas, tint } from "./paint.js";
import { commandLine, el } from "./dom.js";

const FIRST_PARTS = 6;
const FIRST_KERNELS = 32;
const TERMS_TOLD = 8;
const COARSE = { float16: 2 ** -11, bfloat16: 2 ** -8 };

/** The type of a run's numbers, the share by which it rounds, and if that is more than float32's. */
export function precisionOf({ precision }) {
  const name = precision in COARSE ? precision : "float32";
  return { name, unit: COARSE[name] ?? 2 ** -24, coarse: name in COARSE };
}

/** The sum behind one value; what the page does not hold is told with the command that does. */
export function arithmetic(layer, channel, [row, column], more) {
  const { run } = layer;
  const kernel = run.kernel(layer);
  const input = run.inputOf(layer);
  if (!kernel || !input) return elsewhere(layer, channel, [row, column], kernel);
  const { unit } = precisionOf(run);
  const whole = windowAt(layer.convolution, input, kernel, channel, row, column, unit);
  const parts = more.all ? whole.parts : whole.parts.slice(0, FIRST_PARTS);
  const most = largest(whole.parts.flatMap((part) => part.cells.map((cell) => cell.weight)));
  return [
    title(layer),
    el("p", { class: "sum" }, ...sumOf(layer, channel, [row, column], whole)),
    el("ol", { class: "parts" }, parts.map((part) => partRow(layer, part, most, [row, column]))),
    parts.length < whole.parts.length
      ? el("button", { type: "button", onclick: more.show }, say("show_all_parts", { all: whole.parts.length }))
      : null,
    whole.parts.some((part) => part.cells.some((cell) => !cell.inside)) && el("p", { class: "hint" }, say("padding_hint")),
    commandLine(stepCommand(run, layer, channel, [row, column]), say("copy")),
  ].filter(Boolean);
}

/** The value of one pixel as the layer itself put it out; null where the page does not hold it. */
export function exactValue(layer, channel, [row, column]) {
  const output = layer.run.exact(layer.key);
  if (!output) return null;
  const [rows, columns] = mapSize(layer);
  return output.values[(channel * rows + row) * columns + column];
}

function title(layer) {
  return el("h2", {}, sideMark(layer.run), say("arithmetic"));
}

function sumOf(layer, channel, at, { parts, bias, total, bound }) {
  const told = exactValue(layer, channel, at);
  const terms = parts.length <= TERMS_TOLD ? parts.map((part) => short(part.sum)).join(" + ") : say("sum_of", { count: parts.length });
  const shownTotal = el("strong", { "data-total": String(total) }, sumText(total));
  const added = bias === null ? "" : ` + ${say("bias")} ${short(bias)}`;
  const said = [`${terms}${added} = `, shownTotal];
  if (told === null) return said;
  const off = Math.abs(told - total);
  const verdict = say(off <= bound ? "sum_agrees" : "sum_differs", {
    told: exactText(told),
    off: off.toExponential(1),
    bound: bound.toExponential(1),
    precision: precisionOf(layer.run).name,
  });
  return [...said, el("span", { class: off <= bound ? "badge good" : "badge bad" }, verdict)];
}

function partRow(layer, part, most, at) {
  const source = sourceOf(layer);
  const name = source ? `${visible(titleOf(source))} ${part.channel}` : say("input_channel", { channel: part.channel });
  const range = source
    ? sharedRange(source, (one) => rangeOf(one, part.channel))
    : ends(part.cells.map((cell) => cell.value));
  const width = layer.convolution.shape[3];
  return el(
    "li",
    { class: "part" },
    el("div", { class: "source" }, thumb(layer, source, part.channel, at), el("span", {}, name)),
    numbers(say("window"), part.cells, width, (cell) => [cell.value, colorOf(cell.value, range), cell.inside]),
    el("span", { class: "sign" }, "×"),
    numbers(say("kernel"), part.cells, width, (cell) => [cell.weight, colorOfWeight(cell.weight, most), true]),
    el("span", { class: "sign" }, "="),
    el("span", { class: "subtotal" }, short(part.sum)),
  );
}

function thumb(layer, source, channel, [row, column]) {
  const { run } = layer;
  if ((source && !source.view) || !run.input.picture) return null;
  const picture = source && run.hasSheet(source)
    ? channelCanvas(source, channel)
    : el("img", { src: run.input.picture, alt: "" });
  const { shape, dilation } = layer.convolution;
  const [rows, columns] = source ? mapSize(source) : run.input.shape.slice(1);
  const [top, left] = cornerOf(layer.convolution, row, column);
  const box = el("span", { class: "box" });
  const lay = (name, share) => (box.style[name] = `${100 * share}%`);
  lay("top", top / rows);
  lay("left", left / columns);
  lay("height", ((shape[2] - 1) * dilation[0] + 1) / rows);
  lay("width", ((shape[3] - 1) * dilation[1] + 1) / columns);
  return el("span", { class: "thumb boxed" }, picture, box);
}

function numbers(caption, cells, width, read) {
  const tint_ = (cell) => {
    const [value, color, inside] = read(cell);
    const td = el("td", { class: inside ? null : "padding", title: exactText(value) }, short(value));
    if (inside) tint(td, color);
    return td;
  };
  const rows = Array.from({ length: cells.length / width }, (_, n) =>
    el("tr", {}, cells.slice(n * width, (n + 1) * width).map(tint_)),
  );
  return el("table", { class: "numbers" }, el("caption", {}, caption), el("tbody", {}, rows));
}

function elsewhere(layer, channel, at, kernel) {
  return [
    title(layer),
    el("p", {}, say("not_embedded", { terms: layer.convolution.shape.slice(1).reduce((a, b) => a * b, 1) })),
    commandLine(stepCommand(layer.run, layer, channel, at), say("copy")),
    kernel ? kernels(layer, channel, kernel) : null,
  ].filter(Boolean);
}

function kernels(layer, channel, { weights }) {
  const [, each, height, width] = layer.convolution.shape;
  const size = height * width;
  const own = weights.values.subarray(channel * each * size, (channel + 1) * each * size);
  const most = largest(own);
  const tiles = Array.from({ length: Math.min(each, FIRST_KERNELS) }, (_, n) =>
    el("li", {}, kernelCanvas(own.subarray(n * size, (n + 1) * size), [height, width], most), el("span", {}, String(n))),
  );
  const label = say("kernels", { shown: tiles.length, all: each, size: sizeText([height, width]), most: short(most) });
  return el("figure", { class: "kernels" }, el("figcaption", {}, label), el("ol", {}, tiles));
}

function largest(all) {
  return all.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
}

function ends(all) {
  return [Math.min(...all), Math.max(...all)];
}
