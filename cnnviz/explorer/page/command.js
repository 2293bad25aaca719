// The command line that shows one window's arithmetic; its form is known here alone.

const COMES_WITH = ["trained", "own"];

/** `cnnviz step …` for one value of a layer. */
export function stepCommand(run, layer, channel, [row, column]) {
  const options = {
    model: run.model,
    ...weightsOf(run),
    layer: layer.key,
    channel,
    at: `${row},${column}`,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name} ${quoted(value)}`);
  return ["cnnviz step", quoted(run.image ?? "IMAGE"), ...words].join(" ");
}

/** The weights to ask for, where they are not those that the model comes with. */
function weightsOf({ weights }) {
  const { source, seed } = weights ?? {};
  if (!source || COMES_WITH.includes(source)) return {};
  return source === "random" ? { weights: source, seed } : { weights: source };
}

/** A word that a shell takes as one, whatever is in it. */
export function quoted(word) {
  const text = String(word);
  return /^[\w@%+=:,./#-]+$/.test(text) && !text.startsWith("#")
    ? text
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
