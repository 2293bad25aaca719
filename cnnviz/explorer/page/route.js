// Where in the page a reader is, as the part of the address after "#".

/** { layer, channel, at } of a fragment; each is null where it is not named. */
export function readRoute(fragment) {
  const found = /^#\/layer\/(\d+)(?:\/channel\/(\d+)(?:\/at\/(\d+),(\d+))?)?$/.exec(fragment);
  if (!found) return { layer: null, channel: null, at: null };
  const [layer, channel, row, column] = found
    .slice(1)
    .map((text) => (text === undefined ? null : Number(text)));
  return { layer, channel, at: row === null ? null : [row, column] };
}

/** The fragment that leads to a place. */
export function fragmentOf({ layer = null, channel = null, at = null }) {
  if (layer === null) return "#/";
  const place = at === null ? "" : `/at/${at.join(",")}`;
  return `#/layer/${layer}${channel === null ? "" : `/channel/${channel}${place}`}`;
}

/** The address of a place; with `pages` every layer has a file of its own. */
export function addressOf(route, { pages, only }) {
  const layer = route.layer ?? null;
  if (!pages || layer === only) return fragmentOf(route);
  const file = layer === null ? "index.html" : `layer_${String(layer).padStart(3, "0")}.html`;
  return `${file}${fragmentOf(route)}`;
}
