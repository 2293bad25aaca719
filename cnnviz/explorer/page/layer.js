// One layer: its figures, and all of its channels to sort, filter and search.

import { count, percent, rangeText, short, sizeText, visible } from "./numbers.js";
import { addressOf } from "./route.js";
import { isWanted, sortedChannels } from "./choose.js";
import { channelsOf, flagsOf, layerRange, page, rangeOf, run, say, statisticOf, titleOf } from "./store.js";
import { channelCanvas, colorBar, colorOfNumber, tint } from "./paint.js";
import { keepDrawn } from "./state.js";
import { announce, choice, el, facts, named } from "./dom.js";

const SORTS = ["index", "mean", "max", "sparsity"];
const FLAGS = ["dead", "saturated", "constant", "nonfinite"];
const FEW_CHANNELS = 24;
const asked = { sort: "index", filter: "all", query: "" };

/** The page of a layer. */
export function layerPage(layer) {
  asked.query = "";
  const roomy = layer.shape[0] <= FEW_CHANNELS ? " roomy" : "";
  const grid = el("ol", { class: `grid ${layer.view?.kind ?? "values"}${roomy}` });
  const tiles = new Map(channelsOf(layer).map((channel) => [channel, tile(layer, channel)]));
  const arrange = () => {
    const order = sortedChannels(channelsOf(layer), asked.sort, (c, key) => statisticOf(layer, c, key));
    for (const channel of order) tiles.get(channel).hidden = !isShown(layer, channel);
    grid.replaceChildren(...order.map((channel) => tiles.get(channel)));
    const shown = order.filter((channel) => !tiles.get(channel).hidden).length;
    const said = say("channels_shown", { shown, all: layer.shape[0] });
    grid.previousElementSibling.querySelector(".shown").textContent = said;
    announce(said);
  };
  const section = el("section", { "aria-label": say("channels") }, toolbar(layer, arrange), grid);
  arrange();
  return [heading(layer), layerFacts(layer), badges(layer), section];
}

function isShown(layer, channel) {
  const flagged = asked.filter === "all" || (layer.flags[asked.filter] ?? []).includes(channel);
  return flagged && isWanted(asked.query, channel, layer.labels[channel]);
}

/** A layer's title between the layers before and after it. */
export function heading(layer, channel = null) {
  const place = run.shown.indexOf(layer);
  const title = channel === null ? null : el("span", {}, ` › ${channelName(layer, channel)}`);
  const said = `${visible(layer.key)} · ${visible(layer.type)}`;
  const [before, after] = channel === null
    ? [-1, 1].map((by) => run.shown[place + by] && { layer: run.shown[place + by].index })
    : [-1, 1].map((by) => channelBeside(layer, channel, by));
  return el(
    "header",
    { class: `title kind-${layer.kind}` },
    crumbs(layer, channel),
    el(
      "div",
      { class: "title-row" },
      step(before, "‹", say(channel === null ? "layer_before" : "channel_before"), "before"),
      el("h1", { tabindex: "-1" }, named(titleOf(layer)), title),
      step(after, "›", say(channel === null ? "layer_after" : "channel_after"), "after"),
    ),
    el("p", { class: "subtitle" }, said),
  );
}

/** "channel 3", with its label where it has one. */
export function channelName(layer, channel) {
  const label = layer.labels[channel];
  const said = say("channel_number", { channel });
  return label === undefined ? said : `${said} (${visible(label)})`;
}

function channelBeside(layer, channel, by) {
  const other = channel + by;
  return other >= 0 && other < layer.shape[0] ? { layer: layer.index, channel: other } : null;
}

function crumbs(layer, channel) {
  const links = [el("a", { href: addressOf({}, page), "data-up": channel === null }, say("overview"))];
  if (channel !== null) {
    links.push(el("a", { href: addressOf({ layer: layer.index }, page), "data-up": true }, named(titleOf(layer))));
  }
  const items = links.map((link) => el("li", {}, link));
  return el("nav", { "aria-label": say("where") }, el("ol", { class: "crumbs" }, items));
}

function step(route, sign, label, name) {
  if (!route) return el("span", { class: "step", "aria-hidden": "true" });
  return el("a", { class: "step", href: addressOf(route, page), "aria-label": label, title: label, [`data-${name}`]: true }, sign);
}

function layerFacts(layer) {
  const { convolution, stats } = layer;
  const [low, high] = layerRange(layer);
  const kernel = convolution && sizeText(convolution.shape.slice(2));
  return facts([
    [say("size"), sizeText(layer.shape)],
    [say("parameters"), layer.parameters === null ? null : count(layer.parameters)],
    [say("kernel"), kernel && `${kernel}, ${say("stride")} ${sizeText(convolution.stride)}`],
    [say("field"), fieldText(layer)],
    [say("values"), `${short(low)} … ${short(high)}`],
    [say("mean"), stats.mean === null ? null : `${short(stats.mean)} ± ${short(stats.std)}`],
    [say("sparsity"), stats.sparsity === null ? null : percent(stats.sparsity)],
    [say("layout"), layer.layout && layer.layout !== "NCHW" && layer.layout !== "NC" ? layer.layout : null],
  ]);
}

function fieldText({ fields }) {
  if (fields.length !== 2) return null;
  if (!fields[0] || !fields[1]) return say("whole_input");
  const sizes = fields.map(({ spans }) => Math.max(...spans.map((span) => (span ? span[1] - span[0] + 1 : 0))));
  return sizeText(sizes);
}

/** What was checked of a layer, and what of its picture is not exact. */
export function badges(layer) {
  const { verified } = layer;
  return el(
    "p",
    { class: "badges" },
    verified &&
      el(
        "span",
        { class: "badge good", title: say("verified_long", figuresOf(verified)) },
        `✓ ${say("verified", figuresOf(verified))}`,
      ),
    layer.sheet?.off &&
      el("span", { class: "badge" }, say("approximate", { mean: layer.sheet.off[0].toFixed(1), most: layer.sheet.off[1] })),
    layer.view && layer.view.reduced.some((by) => by > 1)
      ? el("span", { class: "badge" }, say("reduced", { block: sizeText(layer.view.reduced) }))
      : null,
  );
}

function figuresOf(verified) {
  return {
    values: count(verified.values),
    channels: verified.channels?.length ?? "",
    diff: verified.max_abs_diff.toExponential(1),
    tolerance: verified.tolerance.toExponential(1),
  };
}

function toolbar(layer, arrange) {
  const set = (name) => (value) => {
    asked[name] = value;
    arrange();
  };
  const filters = FLAGS.filter((flag) => layer.flags[flag]);
  if (!filters.includes(asked.filter)) asked.filter = "all";
  const offered = [["all", say("all")], ...filters.map((flag) => [flag, `${say(flag)} (${layer.flags[flag].length})`])];
  const find = el("input", {
    type: "search",
    placeholder: say("find_example"),
    "data-find": true,
    oninput: (event) => set("query")(event.target.value),
  });
  return el(
    "div",
    { class: "toolbar" },
    choice(say("sort"), SORTS.map((sort) => [sort, say(`sort_${sort}`)]), asked.sort, set("sort")),
    choice(say("show"), offered, asked.filter, set("filter")),
    el("label", { class: "choice" }, el("span", {}, say("find")), find),
    el("span", { class: "shown" }),
    scaleLegend(),
  );
}

/** The colour map from low to high. */
export function scaleLegend() {
  return el("span", { class: "legend" }, say("low"), colorBar(), say("high"));
}

function tile(layer, channel) {
  const flags = flagsOf(layer, channel);
  const label = layer.labels[channel];
  const range = layer.view ? rangeText(rangeOf(layer, channel)) : null;
  const picture = layer.view ? channelCanvas(layer, channel) : number(layer, channel);
  return el(
    "li",
    {},
    el(
      "a",
      {
        href: addressOf({ layer: layer.index, channel }, page),
        class: "tile",
        "data-tile": true,
      },
      picture,
      el("span", { class: "tile-name" }, tileName(channel, label)),
      range && [" ", el("span", { class: "tile-range" }, range)],
      flags.map((flag) => [" ", el("span", { class: "flag" }, say(flag))]),
    ),
  );
}

function tileName(channel, label) {
  if (label === undefined || label === String(channel)) return String(channel);
  return named(`${channel}: ${label}`);
}

function number(layer, channel) {
  const cell = el("span", { class: "number" }, short(statisticOf(layer, channel, "mean")));
  keepDrawn(cell, () => tint(cell, colorOfNumber(layer, channel)));
  return cell;
}
