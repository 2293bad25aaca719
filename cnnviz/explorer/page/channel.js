// One channel large: its pixels, what they see of the input, and how they are computed.

import { histogram, percent, short, sizeText } from "./numbers.js";
import { fragmentOf } from "./route.js";
import { placeOf } from "./levels.js";
import { bothOf, flagsOf, mapSize, rangeOf, say, sharedRange, statisticOf } from "./store.js";
import { channelCanvas, colorBar, numberCell, tableOf } from "./paint.js";
import { keepDrawn } from "./state.js";
import { inputPicture, overlay } from "./input.js";
import { arithmetic } from "./arithmetic.js";
import { badges, channelName, heading } from "./layer.js";
import { brightest, fieldOf, knownValue, valueText, within } from "./pixel.js";
import { announce, el, facts, named } from "./dom.js";
import { sideLetter, sideMark, sideName } from "./sides.js";

const BINS = 32;
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The page of a channel; `at` is the pixel that is held, if any. */
export async function channelPage(layer, channel, at) {
  const layers = bothOf(layer);
  if (!layer.view && layer.shape.length < 3) {
    return [heading(layer, channel), el("div", { class: "beside" }, layers.map((one) => singleNumber(one, channel)))];
  }
  const sides = await Promise.all(layers.map(async (one) => sideOf(one, channel)));
  const start = at ?? (sides[0].levels ? brightest(layer, sides[0].levels) : [0, 0]);
  const state = { layer, channel, sides, at: within(layer, start), held: at !== null, all: false };
  const point = (place, held) => pointAt(state, place, held);
  for (const side of sides) listen(state, side.map.frame, point);
  state.caption = el("div", { class: "caption" });
  refresh(state);
  return [
    heading(layer, channel),
    badges(layer),
    el("div", { class: benchName(sides) }, panels(sides), pixelPanel(state)),
    sides.map((side) => (side.layer.convolution ? side.sum : null)),
  ];
}

/** One run's part of the page: its input, its map, its sum. */
async function sideOf(layer, channel) {
  const levels = layer.view ? await layer.run.cell(layer, channel) : null;
  return {
    layer,
    channel,
    levels,
    input: layer.run.input.picture && inputPicture(layer, channel, levels),
    map: mapPicture(layer, channel),
    sum: el("section", { class: "panel arithmetic", "aria-label": [say("arithmetic"), sideLetter(layer.run)].join(" ").trim() }),
  };
}

function benchName(sides) {
  if (sides.length === 1) return "bench";
  return sameInput(sides) ? "bench paired" : "bench paired apart";
}

function sameInput(sides) {
  return sides.every((side) => side.layer.run.input.picture === sides[0].layer.run.input.picture);
}

/** Input and map; the other run's map, and on its right its input where that is another. */
function panels(sides) {
  const inputs = sides.map((side) => side.input && inputPanel(side, !sameInput(sides)));
  const maps = sides.map(mapPanel);
  if (sides.length === 1) return [inputs[0], maps[0]];
  return [inputs[0], ...maps, sameInput(sides) ? null : inputs[1]];
}

function inputPanel({ layer, input }, isMarked) {
  return el(
    "figure",
    { class: "panel" },
    el("h2", {}, isMarked && sideMark(layer.run), say("on_input")),
    input.canvas,
    overlay(layer),
  );
}

/** A map; of two each has its own figures below it. */
function mapPanel(side) {
  const { layer, channel, map } = side;
  const name = layer.twin ? sideName(layer.run) : channelName(layer, channel);
  const figure = el("figure", {}, el("h2", {}, name), map.frame, bar(layer, channel));
  return el("div", { class: "panel" }, figure, layer.twin && figures(side));
}

function pixelPanel({ sides, caption }) {
  const about = sides.length === 1 && figures(sides[0]);
  return el("div", { class: "panel pixel" }, el("h2", {}, say("pixel")), caption, about);
}

function pointAt(state, place, held) {
  state.at = within(state.layer, place);
  state.held = held;
  cancelAnimationFrame(state.frame);
  state.frame = requestAnimationFrame(() => refresh(state));
  if (!held) return;
  const { layer, channel, at } = state;
  try {
    history.replaceState(null, "", fragmentOf({ layer: layer.index, channel, at }));
  } catch {
    // A sandboxed frame keeps its address.
  }
  const values = state.sides.map((side) => `${sideLetter(side.layer.run)} ${valueText(side.layer, channel, at, side.levels)}`.trim());
  announce(`${say("place", { row: at[0], column: at[1] })}: ${values.join(", ")}`);
}

function refresh(state) {
  const { layer, channel, at, sides } = state;
  const { field, said } = fieldOf(layer, at);
  for (const { input, map } of sides) {
    input?.draw(field);
    moveMark(map.mark, layer, at);
    map.frame.classList.toggle("held", state.held);
  }
  const caption = [
    facts([
      [say("where_pixel"), say("place", { row: at[0], column: at[1] })],
      ...sides.map((side) => [
        el("span", {}, sideMark(side.layer.run), say("value")),
        el("strong", { class: "value" }, valueText(side.layer, channel, at, side.levels)),
      ]),
      [say("difference"), differenceText(sides, channel, at)],
      [say("sees"), said],
    ]),
    layer.view && el("p", { class: "hint" }, say(state.held ? "held" : "hold")),
  ];
  state.caption.replaceChildren(...caption.filter(Boolean));
  const show = () => {
    state.all = true;
    refresh(state);
  };
  for (const side of sides) {
    if (side.layer.convolution) side.sum.replaceChildren(...arithmetic(side.layer, channel, at, { all: state.all, show }));
  }
}

/** A − B where the page holds both exactly; null elsewhere. */
function differenceText(sides, channel, at) {
  const [one, other] = sides.map((side) => knownValue(side.layer, channel, at));
  return sides.length === 2 && one !== null && other !== null ? short(one - other) : null;
}

function moveMark(mark, layer, [row, column]) {
  const [rows, columns] = mapSize(layer);
  mark.style.top = `${(100 * row) / rows}%`;
  mark.style.left = `${(100 * column) / columns}%`;
  mark.style.height = `${100 / rows}%`;
  mark.style.width = `${100 / columns}%`;
}

function mapPicture(layer, channel) {
  const mark = el("span", { class: "mark" });
  const picture = layer.view ? channelCanvas(layer, channel) : numberCell(layer, channel);
  const [rows, columns] = mapSize(layer);
  const frame = el(
    "div",
    {
      class: `map ${layer.view?.kind ?? "single"}`,
      tabindex: "0",
      role: "application",
      "aria-label": [sideLetter(layer.run), say("map_label", { size: sizeText([rows, columns]) })].join(" ").trim(),
      "data-map": true,
    },
    picture,
    mark,
  );
  if (layer.view?.kind !== "strips") frame.style.aspectRatio = `${columns} / ${rows}`;
  return { frame, mark };
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

function bar(layer, channel) {
  const low = el("span", {});
  const high = el("span", {});
  const [least, most] = sharedRange(layer, (one) => rangeOf(one, channel));
  low.textContent = short(least);
  high.textContent = short(most);
  return layer.view ? el("figcaption", { class: "legend wide" }, low, colorBar(), high) : null;
}

function figures({ layer, channel, levels }) {
  const [low, high] = rangeOf(layer, channel);
  const flags = flagsOf(layer, channel);
  return el(
    "div",
    { class: "about-channel" },
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
    sideName(layer.run),
    facts([
      [say("value"), el("strong", { class: "value" }, short(value))],
      [say("rank"), say("rank_of", { rank, all: layer.shape[0] })],
      layer.labels[channel] === undefined ? null : [say("label"), named(layer.labels[channel])],
      flags.length ? [say("flags"), ...flags.map((flag) => el("span", { class: "flag" }, say(flag)))] : null,
    ]),
  );
}
