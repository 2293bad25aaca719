// The command line that shows one window's arithmetic; its form is known here alone.

/** `cnnviz step …` for one value of a layer. */
export function stepCommand(run, layer, channel, [row, column]) {
  const options = {
    model: run.model,
    layer: layer.key,
    channel,
    at: `${row},${column}`,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name} ${quoted(value)}`);
  return ["cnnviz step", quoted(run.image ?? "IMAGE"), ...words].join(" ");
}

/** A word that a shell takes as one, whatever is in it. */
export function quoted(word) {
  const text = String(word);
  return /^[\w@%+=:,./#-]+$/.test(text) && !text.startsWith("#")
    ? text
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
