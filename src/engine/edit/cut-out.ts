// Cutting a subject out of a plain backdrop: what is connected to the border and alike in colour goes.

const TOLERANCE = 46;
const STEP_TOLERANCE = 14;

/**
 * Sets the alpha of the backdrop to 0 in straight RGBA. Returns the share of pixels that went; a share near
 * 0 or 1 means that the backdrop was not plain.
 */
export function cutOut(data: Uint8Array, width: number, height: number): number {
  const gone = new Uint8Array(width * height);
  const queue = new Int32Array(width * height);
  let tail = 0;
  const push = (index: number) => {
    if (gone[index] === 1) return;
    gone[index] = 1;
    queue[tail] = index;
    tail += 1;
  };
  const corner = meanOfBorder(data, width, height);
  const isBackdrop = (index: number) => distance(data, index * 4, corner) < TOLERANCE;
  for (let x = 0; x < width; x += 1) {
    for (const index of [x, (height - 1) * width + x]) if (isBackdrop(index)) push(index);
  }
  for (let y = 0; y < height; y += 1) {
    for (const index of [y * width, y * width + width - 1]) if (isBackdrop(index)) push(index);
  }
  for (let head = 0; head < tail; head += 1) {
    const index = queue[head] ?? 0;
    const x = index % width;
    const here: Rgb = colorAt(data, index * 4);
    const visit = (next: number) => {
      if (gone[next] === 1) return;
      const isStep = distance(data, next * 4, here) < STEP_TOLERANCE;
      if (isBackdrop(next) || (isStep && distance(data, next * 4, corner) < TOLERANCE * 2))
        push(next);
    };
    if (x > 0) visit(index - 1);
    if (x < width - 1) visit(index + 1);
    if (index >= width) visit(index - width);
    if (index < width * (height - 1)) visit(index + width);
  }
  feather(data, gone, width, height);
  return tail / (width * height);
}

type Rgb = readonly [number, number, number];

function colorAt(data: Uint8Array, at: number): Rgb {
  return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
}

function distance(data: Uint8Array, at: number, [r, g, b]: Rgb): number {
  const dr = (data[at] ?? 0) - r;
  const dg = (data[at + 1] ?? 0) - g;
  const db = (data[at + 2] ?? 0) - b;
  return Math.sqrt(dr * dr + dg * dg + db * db);
}

function meanOfBorder(data: Uint8Array, width: number, height: number): Rgb {
  let [r, g, b, count] = [0, 0, 0, 0];
  const add = (index: number) => {
    const [ir, ig, ib] = colorAt(data, index * 4);
    r += ir;
    g += ig;
    b += ib;
    count += 1;
  };
  for (let x = 0; x < width; x += 1) add(x);
  for (let y = 0; y < height; y += 1) {
    add(y * width);
    add(y * width + width - 1);
  }
  return [r / count, g / count, b / count];
}

/** Pixels beside what went become half see-through, so that the edge is not a staircase. */
function feather(data: Uint8Array, gone: Uint8Array, width: number, height: number): void {
  for (let index = 0; index < width * height; index += 1) {
    const x = index % width;
    if (gone[index] === 1) {
      data[index * 4 + 3] = 0;
      continue;
    }
    const near =
      (x > 0 ? (gone[index - 1] ?? 0) : 0) +
      (x < width - 1 ? (gone[index + 1] ?? 0) : 0) +
      (gone[index - width] ?? 0) +
      (gone[index + width] ?? 0);
    if (near > 0) data[index * 4 + 3] = Math.round((data[index * 4 + 3] ?? 255) * (1 - near * 0.2));
  }
}
