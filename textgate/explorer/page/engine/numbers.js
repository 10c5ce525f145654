// Numbers of the page: weights out of their text, and the products that everything else waits for.

/**
 * An array as the page holds it: its shape, its type and its little-endian bytes in base64. Those of
 * type "i2" are multiples of a step; `data` has their lower bytes, and `high` the higher ones,
 * deflated until `inflate` has been there.
 * @typedef {{shape: number[], type: "f2" | "f4" | "i2", data: string, step?: number,
 *   high?: string | Uint8Array}} PackedArray
 */

/**
 * Inflate what is deflated of all arrays within a value.
 * @param {any} value
 * @returns {Promise<void>}
 */
export async function inflate(value) {
  if (value === null || typeof value !== "object") return;
  if (typeof value.high === "string") {
    const stream = new Blob([bytesOf(value.high)]).stream();
    const inflated = stream.pipeThrough(new DecompressionStream("deflate"));
    value.high = new Uint8Array(await new Response(inflated).arrayBuffer());
  } else await Promise.all(Object.values(value).map(inflate));
}

/**
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * The value of each of the 65,536 half-precision numbers.
 * @returns {Float32Array}
 */
function halves() {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction
            ? NaN
            : Infinity
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits >> 15 ? -size : size;
  }
  return table;
}

/** @type {Float32Array | null} */
let halfTable = null;

/**
 * Return the numbers of a packed array, in single precision.
 * @param {PackedArray} packed
 * @returns {Float32Array}
 */
export function unpacked(packed) {
  const bytes = bytesOf(packed.data);
  if (packed.type === "i2") {
    const high = /** @type {Uint8Array} */ (packed.high);
    const step = packed.step ?? 1;
    const multiples = new Float32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) multiples[i] = step * (((high[i] << 24) >> 16) | bytes[i]);
    return multiples;
  }
  const view = new DataView(bytes.buffer);
  const count = bytes.length / (packed.type === "f2" ? 2 : 4);
  const numbers = new Float32Array(count);
  if (packed.type === "f2") {
    halfTable ??= halves();
    for (let i = 0; i < count; i++) numbers[i] = halfTable[view.getUint16(2 * i, true)];
  } else {
    for (let i = 0; i < count; i++) numbers[i] = view.getFloat32(4 * i, true);
  }
  return numbers;
}

/**
 * Return a matrix of `rows` rows with rows and columns exchanged.
 * @param {Float32Array} matrix
 * @param {number} rows
 * @returns {Float32Array}
 */
export function transposed(matrix, rows) {
  const columns = matrix.length / rows;
  const result = new Float32Array(matrix.length);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++) result[column * rows + row] = matrix[at];
  return result;
}

/**
 * Return the product of each row of a matrix with a vector; some rows only, if asked.
 * @param {Float32Array} matrix Of shape (rows, length of the vector).
 * @param {ArrayLike<number>} vector
 * @param {number} [first] The first row.
 * @param {number} [last] The row after the last.
 * @returns {Float64Array}
 */
export function product(matrix, vector, first = 0, last = matrix.length / vector.length) {
  const n = vector.length;
  const x = Float64Array.from(vector);
  const result = new Float64Array(last - first);
  const whole = n - (n % 4);
  for (let row = first, at = first * n; row < last; row++) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let j = 0;
    for (; j < whole; j += 4, at += 4) {
      a += matrix[at] * x[j];
      b += matrix[at + 1] * x[j + 1];
      c += matrix[at + 2] * x[j + 2];
      d += matrix[at + 3] * x[j + 3];
    }
    for (; j < n; j++, at++) a += matrix[at] * x[j];
    result[row - first] = a + b + c + d;
  }
  return result;
}

/**
 * Return the products of a matrix with several vectors, each as `product` does.
 *
 * Four vectors at a time, so that each number of the matrix is fetched once for all four: that is
 * what makes the softmax over ten thousand words at every word of a sentence quick.
 * @param {Float32Array} matrix Of shape (rows, length of a vector).
 * @param {ArrayLike<number>[]} vectors
 * @returns {Float64Array[]}
 */
export function products(matrix, vectors) {
  if (!vectors.length) return [];
  const n = vectors[0].length;
  const rows = matrix.length / n;
  const results = vectors.map(() => new Float64Array(rows));
  for (let start = 0; start < vectors.length; start += 4) {
    const four = [0, 1, 2, 3].map((i) => vectors[Math.min(start + i, vectors.length - 1)]);
    const x = new Float64Array(4 * n);
    for (let j = 0; j < n; j++) for (let i = 0; i < 4; i++) x[4 * j + i] = four[i][j];
    const [ra, rb, rc, rd] = [0, 1, 2, 3].map(
      (i) => results[Math.min(start + i, vectors.length - 1)],
    );
    for (let row = 0, at = 0; row < rows; row++) {
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let j = 0; j < 4 * n; j += 4, at++) {
        const w = matrix[at];
        a += w * x[j];
        b += w * x[j + 1];
        c += w * x[j + 2];
        d += w * x[j + 3];
      }
      ra[row] = a;
      rb[row] = b;
      rc[row] = c;
      rd[row] = d;
    }
  }
  return results;
}

/**
 * Return the logarithm of the sum of the exponentials of some numbers.
 * @param {ArrayLike<number>} numbers
 * @returns {number}
 */
export function logSumExp(numbers) {
  let largest = -Infinity;
  for (let i = 0; i < numbers.length; i++) if (numbers[i] > largest) largest = numbers[i];
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += Math.exp(numbers[i] - largest);
  return largest + Math.log(sum);
}

/**
 * Return the places of the `k` largest numbers, the largest first.
 * @param {ArrayLike<number>} numbers
 * @param {number} k
 * @returns {number[]}
 */
export function largest(numbers, k) {
  /** @type {number[]} */
  const places = [];
  let least = -Infinity;
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i];
    if (places.length === k && !(value > least)) continue;
    let at = places.length;
    while (at > 0 && numbers[places[at - 1]] < value) at--;
    places.splice(at, 0, i);
    if (places.length > k) places.pop();
    least = numbers[places[places.length - 1]];
  }
  return places;
}
