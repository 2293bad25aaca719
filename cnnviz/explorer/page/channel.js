// One channel large: its pixels, what they see of the input, and how they are computed.

import { histogram, percent, short, sizeText } from "./numbers.js";
import { fragmentOf } from "./route.js";
import { placeOf } from "./levels.js";
import { flagsOf, mapSize, rangeOf, run, say, statisticOf } from "./store.js";
import { channelCanvas, colorBar, colorOfNumber, drawField, tableOf, tint } from "./paint.js";
import { choose, chosen, keepDrawn } from "./state.js";
import { arithmetic } from "./arithmetic.js";
import { badges, channelName, heading } from "./layer.js";
import { brightest, fieldOf, valueText, within } from "./pixel.js";
import { announce, el, facts, named } from "./dom.js";

const BINS = 32;
const PICTURE = 384; // pixels across that the input is drawn with at least
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The page of a channel; `at` is the pixel that is held, if any. */
export async function channelPage(layer, channel, at) {
  if (!layer.view && layer.shape.length < 3) return [heading(layer, channel), singleNumber(layer, channel)];
  const levels = layer.view ? await run.cell(layer, channel) : null;
  const start = at ?? (levels ? brightest(layer, levels) : [0, 0]);
  const state = { layer, channel, levels, at: within(layer, start), held: at !== null, all: false };
  const parts = {
    input: inputPicture(state),
    map: mapPicture(state),
    caption: el("div", { class: "caption" }),
    sum: el("section", { class: "panel arithmetic", "aria-label": say("arithmetic") }),
  };
  const point = (place, held) => pointAt(state, parts, place, held);
  listen(state, parts.map.frame, point);
  refresh(state, parts);
  return [
    heading(layer, channel),
    badges(layer),
    el(
      "div",
      { class: "bench" },
      el("figure", { class: "panel" }, el("h2", {}, say("on_input")), parts.input.canvas, overlay()),
      el("figure", { class: "panel" }, el("h2", {}, channelName(layer, channel)), parts.map.frame, bar(layer, channel)),
      el("div", { class: "panel" }, el("h2", {}, say("pixel")), parts.caption, figures(state)),
    ),
    layer.convolution ? parts.sum : null,
  ];
}

function pointAt(state, parts, place, held) {
  state.at = within(state.layer, place);
  state.held = held;
  cancelAnimationFrame(state.frame);
  state.frame = requestAnimationFrame(() => refresh(state, parts));
  if (!held) return;
  const { layer, channel, at } = state;
  try {
    history.replaceState(null, "", fragmentOf({ layer: layer.index, channel, at }));
  } catch {
    // A sandboxed frame keeps its address.
  }
  announce(`${say("place", { row: at[0], column: at[1] })}: ${valueText(layer, channel, at, state.levels)}`);
}

function refresh(state, parts) {
  const { layer, channel, at } = state;
  const { field, said } = fieldOf(layer, at);
  parts.input.draw(field);
  moveMark(parts.map.mark, layer, at);
  parts.map.frame.classList.toggle("held", state.held);
  const caption = [
    facts([
      [say("where_pixel"), say("place", { row: at[0], column: at[1] })],
      [say("value"), el("strong", { class: "value" }, valueText(layer, channel, at, state.levels))],
      [say("sees"), said],
    ]),
    layer.view && el("p", { class: "hint" }, say(state.held ? "held" : "hold")),
  ];
  parts.caption.replaceChildren(...caption.filter(Boolean));
  if (!layer.convolution) return;
  const show = () => {
    state.all = true;
    refresh(state, parts);
  };
  parts.sum.replaceChildren(...arithmetic(layer, channel, at, { all: state.all, show }));
}

function moveMark(mark, layer, [row, column]) {
  const [rows, columns] = mapSize(layer);
  mark.style.top = `${(100 * row) / rows}%`;
  mark.style.left = `${(100 * column) / columns}%`;
  mark.style.height = `${100 / rows}%`;
  mark.style.width = `${100 / columns}%`;
}

function mapPicture({ layer, channel }) {
  const mark = el("span", { class: "mark" });
  const picture = layer.view ? channelCanvas(layer, channel) : singleCell(layer, channel);
  const [rows, columns] = mapSize(layer);
  const frame = el(
    "div",
    {
      class: `map ${layer.view?.kind ?? "single"}`,
      tabindex: "0",
      role: "application",
      "aria-label": say("map_label", { size: sizeText([rows, columns]) }),
      "data-map": true,
    },
    picture,
    mark,
  );
  if (layer.view?.kind !== "strips") frame.style.aspectRatio = `${columns} / ${rows}`;
  return { frame, mark };
}

function singleCell(layer, channel) {
  const cell = el("span", { class: "number" }, short(statisticOf(layer, channel, "mean")));
  keepDrawn(cell, () => tint(cell, colorOfNumber(layer, channel)));
  return cell;
}

function listen(state, frame, point) {
  const placeOfEvent = (event) => {
    const box = frame.getBoundingClientRect();
    const [rows, columns] = mapSize(state.layer);
    const share = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    return [Math.floor(share[0] * rows), Math.floor(share[1] * columns)];
  };
  frame.addEventListener("pointermove", (event) => {
    if (!state.held) point(placeOfEvent(event), false);
  });
  frame.addEventListener("click", (event) => point(placeOfEvent(event), !state.held || event.pointerType === "touch"));
  frame.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (move) {
      const stride = event.shiftKey ? 10 : 1;
      point(state.at.map((place, n) => place + stride * move[n]), true);
    } else if (event.key === "Enter" || event.key === " ") {
      point(state.at, !state.held);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}

function inputPicture({ layer, channel, levels }) {
  const [rows, columns] = run.input.picture_size;
  const enlarged = Math.max(1, Math.ceil(PICTURE / columns));
  const canvas = el("canvas", {
    width: columns * enlarged,
    height: rows * enlarged,
    role: "img",
    "aria-label": say("input"),
    class: "input",
  });
  const image = new Image();
  image.src = run.input.picture;
  const state = { field: null };
  const draw = async () => {
    await image.decode();
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    if (chosen.overlay && levels) lay(context, layer, channel, levels);
    if (state.field) drawField(context, state.field, run.input.picture_size);
  };
  keepDrawn(canvas, draw);
  return { canvas, draw: (field) => { state.field = field; draw(); } };
}

function lay(context, layer, channel, levels) {
  const [height, width] = layer.view.cell;
  const over = new OffscreenCanvas(width, height);
  const pixels = new Uint8ClampedArray(4 * levels.length);
  const table = tableOf(layer, channel);
  levels.forEach((level, n) => pixels.set(table.subarray(4 * level, 4 * level + 4), 4 * n));
  over.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  context.globalAlpha = chosen.opacity;
  context.drawImage(over, 0, 0, context.canvas.width, context.canvas.height);
  context.globalAlpha = 1;
}

function overlay() {
  const slider = el("input", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    value: chosen.overlay ? chosen.opacity : 0,
    oninput: (event) => choose({ overlay: Number(event.target.value) > 0, opacity: Number(event.target.value) }),
  });
  return el("label", { class: "choice overlay" }, el("span", {}, say("overlay")), slider);
}

function bar(layer, channel) {
  const low = el("span", {});
  const high = el("span", {});
  const [least, most] = rangeOf(layer, channel);
  low.textContent = short(least);
  high.textContent = short(most);
  return layer.view ? el("figcaption", { class: "legend wide" }, low, colorBar(), high) : null;
}

function figures({ layer, channel, levels }) {
  const [low, high] = rangeOf(layer, channel);
  const flags = flagsOf(layer, channel);
  return el(
    "div",
    {},
    el("h2", {}, say("channel")),
    facts([
      [say("range"), `${short(low)} … ${short(high)}`],
      [say("mean"), short(statisticOf(layer, channel, "mean"))],
      [say("sparsity"), percent(statisticOf(layer, channel, "sparsity"))],
      [say("flags"), flags.length ? flags.map((flag) => el("span", { class: "flag" }, say(flag))) : say("no_flags")].flat(),
    ]),
    levels && histogramFigure(layer, channel, levels),
  );
}

function histogramFigure(layer, channel, levels) {
  const counts = histogram(levels, BINS);
  const most = Math.max(...counts);
  const range = rangeOf(layer, channel);
  const canvas = el("canvas", { width: 320, height: 96, role: "img", "aria-label": say("histogram_label", { low: short(range[0]), high: short(range[1]) }) });
  keepDrawn(canvas, () => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    const table = tableOf(layer, channel);
    const step = canvas.width / BINS;
    counts.forEach((number, bin) => {
      const level = Math.min(255, Math.round(((bin + 0.5) * 256) / BINS));
      const tall = number && Math.max(2, (number / most) * (canvas.height - 2));
      context.fillStyle = `rgb(${table.slice(4 * level, 4 * level + 3).join(" ")})`;
      context.fillRect(bin * step, canvas.height - tall, step - 1, tall);
    });
  });
  const zero = range[0] < 0 && range[1] > 0 ? placeOf(0, range) / 255 : null;
  return el("figure", { class: "histogram" }, el("figcaption", {}, say("histogram")), canvas, axis(range, zero));
}

function axis([low, high], zero) {
  const marks = el("div", { class: "axis" }, el("span", {}, short(low)), el("span", {}, short(high)));
  if (zero !== null && zero > 0.12 && zero < 0.88) {
    const mark = el("span", { class: "zero" }, "0");
    mark.style.left = `${100 * zero}%`;
    marks.append(mark);
  }
  return marks;
}

function singleNumber(layer, channel) {
  const value = statisticOf(layer, channel, "mean");
  const rank = Array.from({ length: layer.shape[0] }, (_, n) => statisticOf(layer, n, "mean")).filter((other) => other > value).length + 1;
  const flags = flagsOf(layer, channel);
  return el(
    "div",
    { class: "panel" },
    facts([
      [say("value"), el("strong", { class: "value" }, short(value))],
      [say("rank"), say("rank_of", { rank, all: layer.shape[0] })],
      layer.labels[channel] === undefined ? null : [say("label"), named(layer.labels[channel])],
      flags.length ? [say("flags"), ...flags.map((flag) => el("span", { class: "flag" }, say(flag)))] : null,
    ]),
  );
}
