// The input of a run, as large as a map, with a pixel's receptive field and a channel over it.

import { say } from "./store.js";
import { drawField, tableOf } from "./paint.js";
import { choose, chosen, keepDrawn } from "./state.js";
import { sideMark } from "./sides.js";
import { el } from "./dom.js";

const PICTURE = 384; // pixels across that the input is drawn with at least

/** The input large, with what a pixel sees of it; `draw` is told another field. */
export function inputPicture(layer, channel, levels) {
  const { input } = layer.run;
  const [rows, columns] = input.picture_size;
  const enlarged = Math.max(1, Math.ceil(PICTURE / columns));
  const canvas = el("canvas", {
    width: columns * enlarged,
    height: rows * enlarged,
    role: "img",
    "aria-label": say("input"),
    class: "input",
  });
  const image = new Image();
  image.src = input.picture;
  const state = { field: null };
  const draw = async () => {
    await image.decode();
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    if (chosen.overlay && levels) lay(context, layer, channel, levels);
    if (state.field) drawField(context, state.field, input.picture_size);
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

/** The slider that lays the channel over the input. */
export function overlay(layer) {
  const slider = el("input", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    value: chosen.overlay ? chosen.opacity : 0,
    oninput: (event) => choose({ overlay: Number(event.target.value) > 0, opacity: Number(event.target.value) }),
  });
  return el("label", { class: "choice overlay" }, el("span", {}, sideMark(layer.run), say("overlay")), slider);
}
