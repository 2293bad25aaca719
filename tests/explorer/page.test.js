// The page's logic without a browser, against numbers worked out by hand.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { quoted, stepCommand } from "../../cnnviz/explorer/page/command.js";
import { foundLayers, isWanted, sortedChannels } from "../../cnnviz/explorer/page/choose.js";
import { lookupTable, placeOf, scaleRange, valueOfLevel, valuesOfLevel } from "../../cnnviz/explorer/page/levels.js";
import { exactText, fill, histogram, percent, short, visible } from "../../cnnviz/explorer/page/numbers.js";
import { addressOf, fragmentOf, readRoute } from "../../cnnviz/explorer/page/route.js";
import { channelsRead, clipped, cornerOf, fieldAt, spanAt, windowAt } from "../../cnnviz/explorer/page/window.js";

const gray = Uint8Array.from({ length: 768 }, (_, n) => Math.floor(n / 3));

test("numbers are short, and their sign is a minus", () => {
  assert.deepEqual([0, -0.0123, 99.96, 0.00046, -1234.5, NaN].map(short), ["0", "−0.012", "100.0", "4.6e−4", "−1235", "—"]);
});

test("exact text is the shortest decimal of a float32", () => {
  assert.equal(exactText(Math.fround(0.1)), "0.1");
  assert.equal(exactText(Math.fround(-1 / 3)), "−0.33333334");
  for (let n = 0; n < 2000; n += 1) {
    const value = Math.fround((Math.random() - 0.5) * 10 ** (n % 9));
    assert.equal(Math.fround(Number(exactText(value).replace("−", "-").replace("e−", "e-"))), value);
  }
});

test("a share that is not all is not 100.0 %", () => {
  assert.deepEqual([1, 0.99972, 0.5, 0.0002, 0].map(percent), ["100.0 %", "99.97 %", "50.0 %", "< 0.1 %", "0.0 %"]);
});

test("what turns a text around or ends a line is spelled out", () => {
  assert.equal(visible("a\u202Eb\nc\u0000"), "a‹U+202E›b‹U+000A›c‹U+0000›");
  assert.equal(visible("층 <b>"), "층 <b>");
});

test("a text's places are filled, others stay", () => {
  assert.equal(fill("{a} of {b} {c}", { a: 1, b: 0 }), "1 of 0 {c}");
});

test("a histogram counts every level once", () => {
  assert.deepEqual(histogram([0, 63, 64, 255, 255], 4), [2, 1, 0, 2]);
});

test("a level's value lies between the ends, and the values it can stand for around it", () => {
  assert.equal(valueOfLevel(51, [-1, 4]), 0);
  const [low, high] = valuesOfLevel(51, [0, 255], 2);
  assert.deepEqual([low, high], [48.5, 53.5]);
  assert.deepEqual(valuesOfLevel(0, [0, 255], 2), [0, 2.5]);
});

test("scales lie over the channel, the layer, or around zero", () => {
  assert.deepEqual(scaleRange("channel", [0, 1], [-3, 2]), [0, 1]);
  assert.deepEqual(scaleRange("layer", [0, 1], [-3, 2]), [-3, 2]);
  assert.deepEqual(scaleRange("symmetric", [0, 1], [-3, 2]), [-3, 3]);
});

test("zero is in the middle of a symmetric scale, and nothing lies beyond its ends", () => {
  assert.deepEqual([-5, -2, 0, 2, 5].map((value) => placeOf(value, [-2, 2])), [0, 0, 128, 255, 255]);
  assert.equal(placeOf(3, [1, 1]), 0);
});

test("a lookup table on the channel's own scale is the colour map", () => {
  const own = [-1, 3];
  const table = lookupTable(gray, own, own);
  for (let level = 0; level < 256; level += 1) assert.equal(table[4 * level], level);
});

test("a channel that fills half of the layer's range takes half of the colours", () => {
  const table = lookupTable(gray, [0, 1], [0, 2]);
  assert.deepEqual([table[0], table[4 * 255]], [0, 128]);
});

test("a span repeats itself further on", () => {
  const field = { advance: 6, spans: [[-1, 1], [2, 4], null] };
  assert.deepEqual([0, 1, 2, 3, 4].map((place) => spanAt(field, place)), [[-1, 1], [2, 4], null, [5, 7], [8, 10]]);
});

test("a field is a rectangle, clipped to the image only where it is drawn", () => {
  const axis = { advance: 2, spans: [[-3, 3]] };
  const field = fieldAt([axis, axis], 0, 2);
  assert.deepEqual(field, { top: -3, left: 1, height: 7, width: 7 });
  assert.deepEqual(clipped(field, [10, 6]), { top: 0, left: 1, height: 4, width: 5 });
  assert.equal(fieldAt([null, axis], 0, 0), null);
  assert.equal(fieldAt([], 0, 0), null);
});

test("groups read their own channels", () => {
  assert.deepEqual(channelsRead({ shape: [4, 2, 3, 3], groups: 2 }, 1), [0, 1]);
  assert.deepEqual(channelsRead({ shape: [4, 2, 3, 3], groups: 2 }, 2), [2, 3]);
});

test("a window's corner counts stride and padding", () => {
  assert.deepEqual(cornerOf({ stride: [2, 3], padding: [1, 0] }, 2, 4), [3, 12]);
});

test("a window's sum is the one worked out by hand, with padding and dilation", () => {
  const input = { shape: [1, 3, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) };
  const kernel = { weights: { values: Float32Array.of(1, 10, 100, 1000) }, bias: { values: Float32Array.of(0.5) } };
  const convolution = { shape: [1, 1, 2, 2], stride: [1, 1], padding: [1, 1], dilation: [2, 2], groups: 1 };
  const corner = windowAt(convolution, input, kernel, 0, 0, 0); // reads (-1,-1) (-1,1) (1,-1) (1,1)
  assert.deepEqual(corner.parts[0].cells.map((cell) => cell.inside), [false, false, false, true]);
  assert.equal(corner.total, 5 * 1000 + 0.5);
  const middle = windowAt(convolution, input, kernel, 0, 1, 1); // the four corners
  assert.equal(middle.total, 1 + 30 + 700 + 9000 + 0.5);
  assert.ok(middle.bound > 0 && middle.bound < 0.01);
});

test("channels are sorted by a statistic, those without one last", () => {
  const means = [1, NaN, 3, 1];
  assert.deepEqual(sortedChannels([0, 1, 2, 3], "mean", (channel) => means[channel]), [2, 0, 3, 1]);
  assert.deepEqual(sortedChannels([0, 1, 2, 3], "index"), [0, 1, 2, 3]);
});

test("channels are found by numbers, ranges and labels", () => {
  const found = (query) => [0, 3, 10, 15, 21].filter((channel) => isWanted(query, channel));
  assert.deepEqual(found("3, 10-20"), [3, 10, 15]);
  assert.deepEqual(found(""), [0, 3, 10, 15, 21]);
  assert.deepEqual(found("x"), []);
  assert.ok(isWanted("tabby c", 281, "tabby cat"));
});

test("layers are found by all the words typed", () => {
  const layers = [
    { key: "layer1.0.conv1", type: "Conv2d", kind: "conv", shape: [64, 56, 56], flags: {} },
    { key: "layer1.0.relu", type: "ReLU", kind: "relu", shape: [64, 56, 56], flags: { dead: [1] } },
  ];
  assert.deepEqual(foundLayers(layers, "layer1 CONV").map((layer) => layer.key), ["layer1.0.conv1"]);
  assert.deepEqual(foundLayers(layers, "dead").map((layer) => layer.key), ["layer1.0.relu"]);
  assert.equal(foundLayers(layers, "64x56").length, 2);
  assert.equal(foundLayers(layers, " ").length, 0);
});

test("an address is read back as it was written", () => {
  for (const route of [
    { layer: null, channel: null, at: null },
    { layer: 3, channel: null, at: null },
    { layer: 3, channel: 0, at: null },
    { layer: 3, channel: 12, at: [0, 27] },
  ]) {
    assert.deepEqual(readRoute(fragmentOf(route)), route);
  }
  assert.deepEqual(readRoute("#/layer/x"), { layer: null, channel: null, at: null });
});

test("with a page per layer, links lead to the layer's file", () => {
  assert.equal(addressOf({ layer: 4, channel: 2 }, { pages: true, only: null }), "layer_004.html#/layer/4/channel/2");
  assert.equal(addressOf({ layer: 4 }, { pages: true, only: 4 }), "#/layer/4");
  assert.equal(addressOf({}, { pages: true, only: 4 }), "index.html#/");
  assert.equal(addressOf({ layer: 4 }, { pages: false, only: null }), "#/layer/4");
});

test("a command's words are quoted for a shell", () => {
  assert.equal(quoted("samples/digit_7.png"), "samples/digit_7.png");
  assert.equal(quoted("it's $HOME; rm"), String.raw`'it'\''s $HOME; rm'`);
  assert.equal(
    stepCommand({ model: "lenet", image: "a b.png" }, { key: "features.0" }, 3, [1, 2]),
    "cnnviz step 'a b.png' --model lenet --layer features.0 --channel 3 --at 1,2",
  );
});

test("a command asks for the weights that a model does not come with", () => {
  const words = (weights) => stepCommand({ model: "m", weights }, { key: "c" }, 0, [0, 0]).split(" --layer")[0];
  assert.equal(words({ source: "trained", seed: 3 }), "cnnviz step IMAGE --model m");
  assert.equal(words({ source: "own" }), "cnnviz step IMAGE --model m");
  assert.equal(words({ source: "epoch0" }), "cnnviz step IMAGE --model m --weights epoch0");
  assert.equal(words({ source: "random", seed: 7 }), "cnnviz step IMAGE --model m --weights random --seed 7");
});

test("every string that the page says is in the table, in both languages, and none is idle", () => {
  const folder = new URL("../../cnnviz/explorer/page/", import.meta.url);
  const words = JSON.parse(readFileSync(new URL("words.json", folder), "utf8"));
  const manifest = readFileSync(new URL("../bundle.py", folder), "utf8");
  const names = [...manifest.matchAll(/"(\w+\.js)"/g)].map((found) => found[1]);
  const source = [...names, "page.html.j2"].map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const said = [...source.matchAll(/say\(\s*"(\w+)"/g)].map((found) => found[1]);
  assert.deepEqual(said.filter((name) => !(name in words)), []);
  const idle = Object.keys(words).filter((name) => !source.includes(`"${name}"`) && !source.includes(`words.${name}`));
  const composed = /^(sort|theme|scale)_/;
  assert.deepEqual(idle.filter((name) => !composed.test(name)), []);
  for (const { en, ko } of Object.values(words)) {
    const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    assert.deepEqual(places(en), places(ko));
  }
});
