// Levels of a gray picture, 0 to 255, as values and as colours.

/** The range that a colour map is laid over: of the channel, of the layer, or around zero. */
export function scaleRange(scale, channel, layer) {
  if (scale === "channel") return channel;
  if (scale === "layer") return layer;
  const most = Math.max(Math.abs(layer[0]), Math.abs(layer[1]));
  return [-most, most];
}

/** What a level stands for in a channel of that range. */
export function valueOfLevel(level, [low, high]) {
  return low + (level / 255) * (high - low);
}

/** The values that a level can stand for, where pixels are up to `off` levels wrong. */
export function valuesOfLevel(level, [low, high], off) {
  const reach = 0.5 + off;
  return [level - reach, level + reach].map((end) =>
    valueOfLevel(Math.min(255, Math.max(0, end)), [low, high]),
  );
}

/** The place of a value in a colour map of 256 colours that lies over a range. */
export function placeOf(value, [low, high]) {
  if (!(high > low)) return 0;
  const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return Math.round(share * 255);
}

/** For each level of a channel its red, green, blue and opacity: 256 × 4 bytes. */
export function lookupTable(map, channel, range) {
  const table = new Uint8ClampedArray(1024).fill(255);
  for (let level = 0; level < 256; level += 1) {
    const place = range === channel ? level : placeOf(valueOfLevel(level, channel), range);
    table.set(map.subarray(3 * place, 3 * place + 3), 4 * level);
  }
  return table;
}

/** Levels as pixels: red, green, blue and opacity of each. */
export function colored(levels, table) {
  const pixels = new Uint8ClampedArray(4 * levels.length);
  for (let n = 0; n < levels.length; n += 1) {
    const from = 4 * levels[n];
    pixels[4 * n] = table[from];
    pixels[4 * n + 1] = table[from + 1];
    pixels[4 * n + 2] = table[from + 2];
    pixels[4 * n + 3] = 255;
  }
  return pixels;
}

/** Black or white, whichever has the larger contrast to a colour, as WCAG 2 measures it. */
export function inkOn(color) {
  const [red, green, blue] = Array.from(color, (part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) ** 2 > 1.05 * 0.05 ? "#000" : "#fff";
}
