// What the page knows of one pixel of a map.

import { exactText, short } from "./numbers.js";
import { fieldAt, windowAt } from "./window.js";
import { valuesOfLevel, valueOfLevel } from "./levels.js";
import { exactValue, precisionOf } from "./arithmetic.js";
import { mapSize, rangeOf, say, statisticOf } from "./store.js";

/** The value at a place, in words: exact where the page holds it, else how far it is known. */
export function valueText(layer, channel, at, levels) {
  const exact = knownValue(layer, channel, at);
  if (exact !== null) return exactText(exact);
  const range = rangeOf(layer, channel);
  const level = levels[levelPlace(layer, at)];
  if (layer.view.reduced.some((by) => by > 1)) {
    return say("about_mean", { value: short(valueOfLevel(level, range)) });
  }
  const [low, high] = valuesOfLevel(level, range, layer.sheet.off?.[1] ?? 0);
  return say("between", { low: short(low), high: short(high) });
}

/** The exact value at a place; null where the page neither holds it nor can work it out. */
export function knownValue(layer, channel, at) {
  const exact = exactValue(layer, channel, at) ?? computed(layer, channel, at);
  return exact === null && !layer.view ? statisticOf(layer, channel, "mean") : exact;
}

/** A convolution's value, as float32, where the page holds what it is made of. */
function computed(layer, channel, [row, column]) {
  if (!layer.convolution || precisionOf(layer.run).coarse) return null;
  const [kernel, input] = [layer.run.kernel(layer), layer.run.inputOf(layer)];
  if (!kernel || !input) return null;
  return Math.fround(windowAt(layer.convolution, input, kernel, channel, row, column).total);
}

/** Where a pixel of the map lies among the levels of its cell. */
export function levelPlace(layer, [row, column]) {
  const { reduced, cell } = layer.view;
  return Math.floor(row / reduced[0]) * cell[1] + Math.floor(column / reduced[1]);
}

/** The pixel that a reader most likely wants to see: the brightest. */
export function brightest(layer, levels) {
  const { reduced, cell } = layer.view;
  const place = levels.reduce((best, level, n) => (level > levels[best] ? n : best), 0);
  return [Math.floor(place / cell[1]) * reduced[0], (place % cell[1]) * reduced[1]];
}

/** The receptive field of a pixel, and in words. */
export function fieldOf(layer, [row, column]) {
  const field = fieldAt(layer.fields, row, column);
  if (!field) return { field, said: layer.fields.length === 2 ? say("whole_input") : say("field_unknown") };
  const { top, left, height, width } = field;
  return {
    field,
    said: say("field_at", {
      rows: `${top}…${top + height - 1}`.replaceAll("-", "−"),
      columns: `${left}…${left + width - 1}`.replaceAll("-", "−"),
      height,
      width,
    }),
  };
}

/** A place kept within a map. */
export function within(layer, [row, column]) {
  const [rows, columns] = mapSize(layer);
  return [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))];
}
