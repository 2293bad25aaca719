// The window that a value is computed from: its receptive field, and a convolution's sum.

/** First and last input pixel that a position sees along one axis; null where it sees nothing. */
export function spanAt({ advance, spans }, position) {
  const turn = Math.floor(position / spans.length);
  const span = spans[position - turn * spans.length];
  return span && [span[0] + turn * advance, span[1] + turn * advance];
}

/** The rectangle of the input that a position sees, not clipped; null where it is not known. */
export function fieldAt(fields, row, column) {
  if (fields.length !== 2 || !fields[0] || !fields[1]) return null;
  const down = spanAt(fields[0], row);
  const across = spanAt(fields[1], column);
  if (!down || !across) return null;
  const [height, width] = [down, across].map((span) => span[1] - span[0] + 1);
  return { top: down[0], left: across[0], height, width };
}

/** The part of a rectangle that lies within an image. */
export function clipped({ top, left, height, width }, [rows, columns]) {
  const [first, start] = [Math.max(0, top), Math.max(0, left)];
  const [end, far] = [Math.min(rows, top + height), Math.min(columns, left + width)];
  return { top: first, left: start, height: Math.max(0, end - first), width: Math.max(0, far - start) };
}

/** The corner of a convolution's window in the map that it reads, padding counted. */
export function cornerOf({ stride, padding }, row, column) {
  return [row * stride[0] - padding[0], column * stride[1] - padding[1]];
}

/** The input channels that an output channel reads. */
export function channelsRead({ shape, groups }, channel) {
  const [outputs, each] = shape;
  const first = Math.floor(channel / (outputs / groups)) * each;
  return Array.from({ length: each }, (_, n) => first + n);
}

/**
 * The numbers of one value of a convolution: for each input channel the window's values, the
 * kernel's weights and the sum of their products. Values in the padding are 0 and not inside.
 * The products are those of float32 numbers, which are exact here; `bound` is how far the sum of
 * a machine may be from `total` whose numbers are rounded by up to a share `unit` (float32's is the
 * default), in whichever order it adds. `bias` is null without one.
 */
export function windowAt(convolution, input, kernel, channel, row, column, unit = 2 ** -24) {
  const parts = channelsRead(convolution, channel).map((read, place) =>
    partOf(convolution, input, kernel, { channel, place, read, row, column }),
  );
  const bias = kernel.bias ? kernel.bias.values[channel] : null;
  const total = parts.reduce((sum, part) => sum + part.sum, bias ?? 0);
  const size = parts.reduce((sum, part) => sum + part.size, Math.abs(bias ?? 0));
  const terms = parts.length * convolution.shape[2] * convolution.shape[3] + 1;
  const most = Math.max(Math.abs(total), size * unit);
  return { parts, bias, total, terms, bound: terms * unit * size + most * unit };
}

function partOf(convolution, input, kernel, { channel, place, read, row, column }) {
  const [, each, height, width] = convolution.shape;
  const [rows, columns] = input.shape.slice(-2);
  const [top, left] = cornerOf(convolution, row, column);
  const cells = [];
  let [sum, size] = [0, 0];
  for (let down = 0; down < height; down += 1) {
    for (let right = 0; right < width; right += 1) {
      const y = top + down * convolution.dilation[0];
      const x = left + right * convolution.dilation[1];
      const inside = y >= 0 && x >= 0 && y < rows && x < columns;
      const value = inside ? input.values[(read * rows + y) * columns + x] : 0;
      const weight = kernel.weights.values[((channel * each + place) * height + down) * width + right];
      sum += value * weight;
      size += Math.abs(value * weight);
      cells.push({ value, weight, inside });
    }
  }
  return { channel: read, cells, sum, size };
}
