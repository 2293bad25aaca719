// Which channels and layers are shown, and in which order.

export const STATISTICS = ["min", "max", "mean", "sparsity"];

/** Channels by number, or the largest of a statistic first; those without one come last. */
export function sortedChannels(channels, key, statisticOf) {
  if (key === "index") return [...channels];
  const figure = (channel) => {
    const value = statisticOf(channel, key);
    return Number.isNaN(value) ? -Infinity : value;
  };
  return [...channels].sort((a, b) => figure(b) - figure(a) || a - b);
}

/** Whether a channel's number or label is what was typed: "7", "3, 10-20", "cat". */
export function isWanted(query, channel, label = "") {
  const parts = query.split(/[,\s]+/).filter(Boolean);
  if (parts.length === 0) return true;
  const typed = query.trim().toLowerCase();
  if (label && label.toLowerCase().includes(typed)) return true;
  return parts.some((part) => {
    const [first, last = first] = part.split("-");
    const number = (text) => (/^\d+$/.test(text) ? Number(text) : NaN);
    return channel >= number(first) && channel <= number(last);
  });
}

/** The layers whose name, kind, type or shape has all the words typed. */
export function foundLayers(layers, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return layers.filter((layer) => {
    const flags = Object.keys(layer.flags ?? {});
    const text = [layer.key, layer.paper_name, layer.type, layer.kind, layer.shape?.join("x"), ...flags];
    const said = text.join(" ").toLowerCase();
    return words.every((word) => said.includes(word));
  });
}
