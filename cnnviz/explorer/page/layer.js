// One layer: its figures, and all of its channels to sort, filter and search.

import { count, percent, rangeText, short, sizeText, visible } from "./numbers.js";
import { addressOf } from "./route.js";
import { isWanted, sortedChannels } from "./choose.js";
import { bothOf, channelsOf, flagsOf, layerRange, page, rangeOf, run, say, sharedRange, statisticOf, titleOf } from "./store.js";
import { channelCanvas, colorBar, numberCell } from "./paint.js";
import { announce, choice, el, facts, named } from "./dom.js";
import { alikeText, apartOf, differences, sideMark, sideName } from "./sides.js";

const SORTS = ["index", "mean", "max", "sparsity"];
const FLAGS = ["dead", "saturated", "constant", "nonfinite"];
const FEW_CHANNELS = 24;
const asked = { sort: "index", filter: "all", query: "" };

/** The page of a layer. */
export function layerPage(layer) {
  asked.query = "";
  const roomy = layer.shape[0] <= FEW_CHANNELS ? " roomy" : "";
  const paired = layer.twin ? " paired" : "";
  const grid = el("ol", { class: `grid ${layer.view?.kind ?? "values"}${roomy}${paired}` });
  const tiles = new Map(channelsOf(layer).map((channel) => [channel, tile(layer, channel)]));
  const arrange = () => {
    const order = sortedChannels(channelsOf(layer), asked.sort, (channel, key) =>
      key === "apart" ? apartOf(layer, channel) : statisticOf(layer, channel, key),
    );
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
  const flagged = asked.filter === "all" || flaggedChannels(layer, asked.filter).includes(channel);
  return flagged && isWanted(asked.query, channel, layer.labels[channel]);
}

/** The channels that have a flag, on either side. */
function flaggedChannels(layer, flag) {
  return [...new Set(bothOf(layer).flatMap((one) => one.flags[flag] ?? []))];
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
  const { convolution } = layer;
  const kernel = convolution && sizeText(convolution.shape.slice(2));
  const ofBoth = [
    [say("size"), sizeText(layer.shape)],
    [say("parameters"), layer.parameters === null ? null : count(layer.parameters)],
    [say("kernel"), kernel && `${kernel}, ${say("stride")} ${sizeText(convolution.stride)}`],
    [say("field"), fieldText(layer)],
  ];
  const layout = [say("layout"), layer.layout && layer.layout !== "NCHW" && layer.layout !== "NC" ? layer.layout : null];
  if (!layer.twin) {
    const reason = layer.compare && el("p", { class: "hint" }, alikeText(layer));
    return [facts([...ofBoth, ...valueFacts(layer), layout]), reason];
  }
  const sides = bothOf(layer).map((one) => el("div", {}, sideName(one.run), facts(valueFacts(one))));
  return [facts([...ofBoth, layout]), el("div", { class: "panel beside" }, sides, el("div", {}, el("span", { class: "side-name" }, say("difference")), differences(layer)))];
}

function valueFacts(layer) {
  const { stats } = layer;
  const [low, high] = layerRange(layer);
  return [
    [say("values"), `${short(low)} … ${short(high)}`],
    [say("mean"), stats.mean === null ? null : `${short(stats.mean)} ± ${short(stats.std)}`],
    [say("sparsity"), stats.sparsity === null ? null : percent(stats.sparsity)],
  ];
}

function fieldText({ fields }) {
  if (fields.length !== 2) return null;
  if (!fields[0] || !fields[1]) return say("whole_input");
  const sizes = fields.map(({ spans }) => Math.max(...spans.map((span) => (span ? span[1] - span[0] + 1 : 0))));
  return sizeText(sizes);
}

/** What was checked of a layer, and what of its picture is not exact. */
export function badges(layer) {
  return el(
    "p",
    { class: "badges" },
    bothOf(layer).map(badgesOf),
    layer.view && layer.view.reduced.some((by) => by > 1)
      ? el("span", { class: "badge" }, say("reduced", { block: sizeText(layer.view.reduced) }))
      : null,
  );
}

function badgesOf(layer) {
  const { verified, sheet } = layer;
  return [
    verified &&
      el(
        "span",
        { class: "badge good", title: say("verified_long", figuresOf(verified)) },
        sideMark(layer.run),
        `✓ ${say("verified", figuresOf(verified))}`,
      ),
    sheet?.off &&
      el(
        "span",
        { class: "badge" },
        sideMark(layer.run),
        say("approximate", { mean: sheet.off[0].toFixed(1), most: sheet.off[1] }),
      ),
  ];
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
  const filters = FLAGS.filter((flag) => flaggedChannels(layer, flag).length > 0);
  if (!filters.includes(asked.filter)) asked.filter = "all";
  const offered = [["all", say("all")], ...filters.map((flag) => [flag, `${say(flag)} (${flaggedChannels(layer, flag).length})`])];
  const sorts = layer.twin ? [...SORTS, "apart"] : SORTS;
  if (!sorts.includes(asked.sort)) asked.sort = "index";
  const find = el("input", {
    type: "search",
    placeholder: say("find_example"),
    "data-find": true,
    oninput: (event) => set("query")(event.target.value),
  });
  return el(
    "div",
    { class: "toolbar" },
    choice(say("sort"), sorts.map((sort) => [sort, say(`sort_${sort}`)]), asked.sort, set("sort")),
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
  const flags = bothOf(layer).flatMap((one) => flagsOf(one, channel).map((flag) => [one, flag]));
  const label = layer.labels[channel];
  const range = layer.view ? rangeText(sharedRange(layer, (one) => rangeOf(one, channel))) : null;
  const pictures = bothOf(layer).map((one) => (one.view ? channelCanvas(one, channel) : numberCell(one, channel)));
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
      layer.twin ? el("span", { class: "pair" }, pictures) : pictures,
      el("span", { class: "tile-name" }, tileName(channel, label)),
      range && [" ", el("span", { class: "tile-range" }, range)],
      layer.twin && layer.view && [" ", el("span", { class: "tile-range" }, say("apart", { far: short(apartOf(layer, channel)) }))],
      flags.map(([one, flag]) => [" ", el("span", { class: "flag" }, sideMark(one.run), say(flag))]),
    ),
  );
}

function tileName(channel, label) {
  if (label === undefined || label === String(channel)) return String(channel);
  return named(`${channel}: ${label}`);
}
