// Numbers and names as text.

/** A number in about three digits, to be read beside a picture. */
export function short(value) {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e5) return minus(value.toExponential(1));
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return minus(value.toFixed(digits));
}

/** The ends of a range, to stand under a small picture. */
export function rangeText([low, high]) {
  const brief = (value) => {
    const size = Math.abs(value);
    return size >= 0.01 && size < 1 ? minus(value.toFixed(2)) : short(value);
  };
  return `${brief(low)} … ${brief(high)}`;
}

/** The shortest decimal that is this float32 and no other. */
export function exactText(value) {
  for (let digits = 6; digits < 9; digits += 1) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return minus(text);
  }
  return minus(String(Number(value.toPrecision(9))));
}

/** A sum of many products, with the digits that float32 can have. */
export function sumText(value) {
  return minus(String(Number(value.toPrecision(8))));
}

/** A share of 1 in percent. */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  const digits = share > 0.999 && share < 1 ? 2 : 1;
  return `${(100 * share).toFixed(digits)} %`;
}

/** A whole number with its thousands set apart. */
export function count(number) {
  return number.toLocaleString("en-US");
}

/** Sizes, height before width. */
export function sizeText(shape) {
  return shape.join(" × ");
}

function minus(text) {
  return text.replaceAll("-", "−");
}

/** "{name}" in a text replaced by what is given for it. */
export function fill(text, values) {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** A name with what cannot be seen, or would turn the text around, spelled out. */
export function visible(text) {
  return String(text).replaceAll(INVISIBLE, (char) => {
    const code = char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `‹U+${code}›`;
  });
}

/** How many of the levels fall into each of so many equal parts of 0 to 255. */
export function histogram(levels, bins) {
  const counts = new Array(bins).fill(0);
  for (const level of levels) counts[Math.min(bins - 1, Math.floor((level * bins) / 256))] += 1;
  return counts;
}
