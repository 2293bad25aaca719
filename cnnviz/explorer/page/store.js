// The run's numbers and pictures, read from the page once.

import { STATISTICS } from "./choose.js";
import { fill } from "./numbers.js";

const INPUT = "input";

/** The bytes of a base64 text. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function floatsOf(text) {
  return new Float32Array(bytesOf(text).buffer);
}

/**
 * One run, ready to be asked. `pictures` gives a sheet's address by the layer's number; numbers that
 * are the same in the `first` of two runs are had from there.
 */
export class Run {
  constructor(run, pictures, first = null) {
    Object.assign(this, run);
    this.pictures = pictures;
    this.first = first;
    this.numbers = new Map();
    this.sheets = new Map();
    this.shown = this.layers.filter((layer) => layer.statistics);
    for (const layer of this.shown) {
      layer.statistics = floatsOf(layer.statistics);
      layer.apart &&= floatsOf(layer.apart);
      layer.run = this;
      layer.twin = first?.layerOfKey(layer.key) ?? null;
      if (layer.twin) layer.twin.twin = layer;
    }
  }

  /** The layer of a number, or undefined. */
  layer(index) {
    return this.shown.find((layer) => layer.index === index);
  }

  /** The layer of a key, or undefined. */
  layerOfKey(key) {
    return this.shown.find((layer) => layer.key === key);
  }

  /** Exact numbers by name, { shape, values }, or null where the page has none. */
  exact(name) {
    if (!(name in this.exact_numbers)) return null;
    if (this.exact_numbers[name] === null) return this.first.exact(name);
    if (!this.numbers.has(name)) {
      const { shape, data } = this.exact_numbers[name];
      this.numbers.set(name, { shape, values: floatsOf(data) });
    }
    return this.numbers.get(name);
  }

  /** What a convolution's sums are made of; null where the page does not hold all of it. */
  kernel(layer) {
    const weights = this.exact(`${layer.key}:weights`);
    return weights && { weights, bias: this.exact(`${layer.key}:bias`) };
  }

  /** The numbers that a convolution reads, (C, H, W); null where the page does not hold them. */
  inputOf(layer) {
    const { reads, shape, groups } = layer.convolution ?? {};
    const input = reads ? this.exact(reads) : null;
    const fits = input?.shape.length === 3 && input.shape[0] === shape[1] * groups;
    return fits ? input : null;
  }

  /** Whether the layer's picture is in this page. */
  hasSheet(layer) {
    return this.pictures.has(layer.index);
  }

  /** The levels of one channel. */
  async cell(layer, channel) {
    return this.levels(channel, this.pictures.get(layer.index), { ...layer.sheet, cell: layer.view.cell });
  }

  /** The levels of one of the overview's channels, of a smaller picture where there is one. */
  async telling(layer, channel) {
    return layer.few ? this.levels(channel, layer.few.uri, layer.few) : this.cell(layer, channel);
  }

  async levels(channel, uri, { columns, cells, cell }) {
    const place = cells ? cells.indexOf(channel) : channel;
    return cellOf(await this.sheet(uri), columns, cell, place);
  }

  /** A sheet, once it is decoded. */
  sheet(uri) {
    if (!this.sheets.has(uri)) this.sheets.set(uri, decoded(uri));
    return this.sheets.get(uri);
  }
}

/** A statistic of a channel; NaN where it has no finite value. */
export function statisticOf(layer, channel, name) {
  return layer.statistics[STATISTICS.length * channel + STATISTICS.indexOf(name)];
}

/** The least and largest value of a channel. */
export function rangeOf(layer, channel) {
  const range = ["min", "max"].map((name) => statisticOf(layer, channel, name));
  return range.some(Number.isNaN) ? [0, 0] : range;
}

/** The least and largest value of a layer. */
export function layerRange(layer) {
  return layer.stats?.min == null ? [0, 0] : [layer.stats.min, layer.stats.max];
}

/** What `rangeOf` or `layerRange` gives, of both runs where two are compared. */
export function sharedRange(layer, read) {
  const [low, high] = read(layer);
  if (!layer.twin) return [low, high];
  const [least, most] = read(layer.twin);
  return [Math.min(low, least), Math.max(high, most)];
}

/** The layer, and where two runs are compared the same one of the other. */
export function bothOf(layer) {
  return layer.twin ? [layer, layer.twin] : [layer];
}

/** The numbers of all channels. */
export function channelsOf(layer) {
  return Array.from({ length: layer.shape[0] }, (_, n) => n);
}

/** The flags of a channel. */
export function flagsOf(layer, channel) {
  return Object.keys(layer.flags).filter((flag) => layer.flags[flag].includes(channel));
}

/** Rows and columns of a layer's maps; one of each where a channel is a single number. */
export function mapSize(layer) {
  return layer.view ? layer.view.size : [1, 1];
}

async function decoded(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  return image;
}

let scratch = null;

/** The levels of one cell of a sheet; reading the whole sheet back would take far longer. */
function cellOf(image, columns, [height, width], place) {
  scratch ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  [scratch.canvas.width, scratch.canvas.height] = [width, height];
  const [left, top] = [(place % columns) * width, Math.floor(place / columns) * height];
  scratch.drawImage(image, left, top, width, height, 0, 0, width, height);
  const pixels = scratch.getImageData(0, 0, width, height).data;
  const levels = new Uint8Array(height * width);
  for (let n = 0; n < levels.length; n += 1) levels[n] = pixels[4 * n];
  return levels;
}

/** The document that the page carries, and its runs. Sheets lie in the part without a script. */
export function readPage() {
  const page = JSON.parse(document.getElementById("data").textContent);
  const plain = document.querySelector("noscript").textContent;
  const images = new DOMParser().parseFromString(plain, "text/html").querySelectorAll("[id^=sheet-]");
  const pictures = [new Map(), new Map()];
  for (const image of images) {
    const [, layer, second] = /^sheet-(\d+)(-b)?$/.exec(image.id);
    pictures[second ? 1 : 0].set(Number(layer), image.getAttribute("src"));
  }
  const [first, second] = page.runs.map(({ exact, ...run }) => ({ ...run, exact_numbers: exact }));
  page.runs = [new Run(first, pictures[0])];
  if (second) page.runs.push(new Run(second, pictures[1], page.runs[0]));
  for (const name of Object.keys(page.maps)) page.maps[name] = bytesOf(page.maps[name]);
  return page;
}

export const page = typeof document === "undefined" ? null : readPage();
export const run = page?.runs[0];
export const compared = page?.compare ?? null;

/** A string of the page in its language. */
export function say(name, values = {}) {
  return fill(page.words[name] ?? name, values);
}

/** What a layer is called: by its paper, or by its place in the model. */
export function titleOf(layer) {
  return layer.paper_name ?? layer.key;
}

/** What a convolution reads, as something that can be drawn: a layer, or null for the input. */
export function sourceOf(layer) {
  const { reads } = layer.convolution;
  return reads === INPUT ? null : layer.run.layerOfKey(reads);
}
