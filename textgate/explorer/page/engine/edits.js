// What edits do at each step: the JSON of `textgate.interventions.to_json`, with the same meaning and
// in the same order as in Python.
//
// An edit takes values from another run (`Patch`, `MeanAblation`, `ResampleAblation`) in one of
// these forms, because a page has no trace to look into:
//
//   "source": {"text": "He came out"}          the run of a text, unedited
//   "source": {"twin": true}                   the run of the twin that the call is given
//   "source": {"values": [[…], …]}             numbers, (steps, chosen units)
//   "reference": {"texts": ["…", …]}           the runs of texts, for means and for donors

/** @typedef {import("./layer.js").Layer} Layer */
/** @typedef {import("./cells.js").Signals} Signals */
/** @typedef {{text?: string, twin?: boolean, texts?: string[], values?: number[][]}} Source */
/** @typedef {{slice: (number | null)[]} | {rows: string[], steps: number}} Steps */

/**
 * @typedef {object} EditJSON
 * @property {string} intervention `"Clamp"`, `"ZeroAblation"`, …
 * @property {string} layer
 * @property {string} signal One of the layer's, or `"retention"` or `"writing"`.
 * @property {number[] | number | {slice: (number | null)[]} | null} [units] All by default.
 * @property {Steps | null} [steps] All by default. Step 0 is the beginning of the text.
 * @property {number[][] | null} [subspace] Orthonormal columns, (chosen units, rank).
 * @property {number | number[] | number[][][]} [value] Of a clamp.
 * @property {number[]} [direction] Of a push along a direction.
 * @property {number} [scale]
 * @property {number[][] | null} [matrix] Of an affine map.
 * @property {number | number[] | null} [offset]
 * @property {Source} [source] Of a patch.
 * @property {Source} [reference] Of an ablation by a mean or by other sentences.
 * @property {boolean} [by_position]
 * @property {number} [seed]
 */

/**
 * An edit of one of a cell's own signals, ready to be carried out.
 * @typedef {object} Edit
 * @property {string} signal
 * @property {number[]} units
 * @property {(step: number) => boolean} acts
 * @property {number} first The first step at which it acts; Infinity if it never does.
 * @property {number[][] | null} matrix (chosen units, chosen units), multiplied from the right.
 * @property {boolean} add Whether the values are added instead of set.
 * @property {(step: number) => number[]} values One a chosen unit.
 * @property {string} name What it is called in errors.
 */

/**
 * What edits are bound to.
 * @typedef {object} Place
 * @property {Layer[]} layers
 * @property {number} length The number of steps, the beginning of the text included.
 * @property {(text: string) => Record<string, Signals[]>} read The signals of a text, by layer and
 *   step, without edits.
 * @property {string} [twin]
 */

/**
 * Bind edits to the layers of a model and a text.
 * @param {EditJSON[] | EditJSON | string | null | undefined} edits
 * @param {Place} place
 * @returns {Record<string, Edit[]>} The edits of each layer, in order.
 */
export function bound(edits, place) {
  /** @type {Record<string, Edit[]>} */
  const result = Object.fromEntries(place.layers.map((layer) => [layer.name, []]));
  for (const json of listed(edits)) {
    const layer = place.layers.find((one) => one.name === json.layer);
    if (!layer) {
      const names = place.layers.map((one) => one.name).join(", ");
      throw new Error(`The recurrent layers are ${names}. Received: layer '${json.layer}'`);
    }
    result[layer.name].push(boundOne(json, layer, place));
  }
  return result;
}

/**
 * Return edits as a list, whatever form they come in.
 * @param {EditJSON[] | EditJSON | string | null | undefined} edits
 * @returns {EditJSON[]}
 */
export function listed(edits) {
  if (edits === null || edits === undefined) return [];
  const parsed = typeof edits === "string" ? JSON.parse(edits) : edits;
  return Array.isArray(parsed) ? parsed : [parsed];
}

/**
 * Return a step's signal as edits make it.
 * @param {Edit[]} edits Of the layer.
 * @param {string} signal
 * @param {number} step
 * @param {number[]} values The signal; it is changed in place.
 * @returns {number[]}
 */
export function edited(edits, signal, step, values) {
  for (const edit of edits) {
    if (edit.signal !== signal || !edit.acts(step)) continue;
    const { units, matrix } = edit;
    const given = edit.values(step);
    const old = units.map((unit) => values[unit]);
    units.forEach((unit, j) => {
      if (Number.isNaN(given[j]))
        throw new Error(`${edit.name}: what its values are taken from has none at step ${step}.`);
      let base = edit.add ? old[j] : 0;
      if (matrix) base = old.reduce((sum, value, i) => sum + value * matrix[i][j], 0);
      values[unit] = base + given[j];
    });
  }
  return values;
}

/**
 * @param {EditJSON} json
 * @param {Layer} layer
 * @param {Place} place
 * @returns {Edit}
 */
function boundOne(json, layer, place) {
  const name = `${json.intervention} of '${layer.name}'`;
  const units = chosenUnits(json.units, layer, name);
  const acts = chosenSteps(json.steps, place.length, name);
  const { signal, scale, offset } = layer.derived(json.signal);
  if (!scale) throw new Error(`${name}: the layer has no such signal. Received: '${json.signal}'`);
  const kind = KINDS[json.intervention];
  if (!kind) {
    const known = Object.keys(KINDS).join(", ");
    throw new Error(`An edit is one of ${known}. Received: '${json.intervention}'`);
  }
  let { values, matrix = null, add = false } = kind(json, { layer, units, acts, place, name });
  if (matrix) add = true;
  if (json.subspace) {
    const inside = projection(json.subspace, units.length, name);
    const own = matrix ?? (add ? identity(units.length) : zeros(units.length));
    matrix = identity(units.length).map((row, i) =>
      row.map((one, j) => one + row.reduce((s, e, k) => s + (own[i][k] - e) * inside[k][j], 0)),
    );
    add = true;
    const whole = values;
    values = (step) => times(whole(step), inside);
  }
  if (scale !== 1 || offset !== 0) {
    const shift = units.map((_, j) => {
      if (!add) return offset;
      return matrix ? offset * (1 - matrix.reduce((sum, row) => sum + row[j], 0)) : 0;
    });
    const named = values;
    values = (step) => named(step).map((value, j) => (value - shift[j]) / scale);
  }
  let first = 0;
  while (first < place.length && !acts(first)) first++;
  return { signal, units, acts, first: first < place.length ? first : Infinity, matrix, add, values, name };
}

/**
 * @typedef {object} Target
 * @property {Layer} layer
 * @property {number[]} units
 * @property {(step: number) => boolean} acts
 * @property {Place} place
 * @property {string} name
 */
/** @typedef {{values: (step: number) => number[], matrix?: number[][] | null, add?: boolean}} Part */

/** @type {Record<string, (json: EditJSON, target: Target) => Part>} What each kind does. */
const KINDS = {
  ZeroAblation: (_, target) => ({ values: constant(0, target) }),
  Clamp(json, target) {
    const { value } = json;
    if (!Array.isArray(value) || !Array.isArray(value[0]))
      return { values: constant(/** @type {any} */ (value), target) };
    const rows = /** @type {number[][][]} */ (value);
    if (rows.length !== 1)
      throw new Error(`${target.name}: it is for ${rows.length} examples, and there is one text.`);
    return { values: byStep(rows[0], target) };
  },
  Steer(json, target) {
    const direction = constant(json.direction ?? [], target)(0);
    const pushed = direction.map((value) => (json.scale ?? 1) * value);
    return { values: () => pushed, add: true };
  },
  Affine(json, target) {
    const n = target.units.length;
    const { matrix } = json;
    if (matrix && (matrix.length !== n || matrix.some((row) => row.length !== n)))
      throw new Error(`${target.name}: the matrix must have ${n} rows and columns.`);
    return { values: constant(json.offset ?? 0, target), matrix: matrix ?? null, add: true };
  },
  Patch(json, target) {
    const rows = rowsOf(json.source, json.signal, target, "source")[0];
    const { place, acts } = target;
    for (let step = Math.min(rows.length, place.length); step < Math.max(rows.length, place.length); step++)
      if (acts(step))
        throw new Error(
          `${target.name}: its source must have as many steps as the text, ${place.length}; choose ` +
            `by \`steps\` what to patch. Received: a source of ${rows.length} steps`,
        );
    return { values: byStep(rows, target) };
  },
  MeanAblation(json, target) {
    const runs = rowsOf(json.reference, json.signal, target, "reference");
    const mean = (/** @type {number[][]} */ rows) =>
      target.units.map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
    if (!json.by_position) {
      const all = mean(runs.flat());
      return { values: () => all };
    }
    const steps = Math.max(...runs.map((rows) => rows.length));
    const means = Array.from({ length: steps }, (_, step) =>
      mean(runs.filter((rows) => step < rows.length).map((rows) => rows[step])),
    );
    return { values: byStep(means, target) };
  },
  ResampleAblation(json, target) {
    // A donor's values step by step; where it ends, the next one goes on from there.
    const runs = rowsOf(json.reference, json.signal, target, "reference");
    const from = (json.seed ?? 0) % runs.length;
    const donors = [...runs.slice(from), ...runs.slice(0, from)];
    const steps = Math.max(...runs.map((rows) => rows.length));
    const rows = Array.from({ length: steps }, (_, step) => {
      const donor = /** @type {number[][]} */ (donors.find((one) => step < one.length));
      return donor[step];
    });
    return { values: byStep(rows, target) };
  },
};

/**
 * @param {number | number[]} value
 * @param {Target} target
 * @returns {(step: number) => number[]}
 */
function constant(value, { units, name }) {
  const numbers = Array.isArray(value) ? value : units.map(() => value);
  if (numbers.length !== units.length)
    throw new Error(
      `${name}: there must be one number for each of the ${units.length} chosen units. ` +
        `Received: ${numbers.length} numbers`,
    );
  if (!numbers.every((number) => typeof number === "number" && Number.isFinite(number)))
    throw new Error(`${name}: its values must be finite numbers. Received: ${numbers}`);
  return () => numbers;
}

/**
 * @param {number[][]} rows
 * @param {Target} target
 * @returns {(step: number) => number[]}
 */
function byStep(rows, { units, name }) {
  for (const row of rows)
    if (row.length !== units.length)
      throw new Error(`${name}: a step needs ${units.length} numbers. Received: ${row.length}`);
  const none = units.map(() => NaN);
  return (step) => rows[step] ?? none;
}

/**
 * Return the values of the chosen units in other runs: (steps, chosen units) for each.
 * @param {Source | undefined} source
 * @param {string} signal
 * @param {Target} target
 * @param {string} argument
 * @returns {number[][][]}
 */
function rowsOf(source, signal, { layer, units, place, name }, argument) {
  if (source?.values) return [source.values];
  const texts = source?.texts ?? (source?.text === undefined ? [] : [source.text]);
  if (source?.twin) {
    if (place.twin === undefined) throw new Error(`${name}: it needs a twin, and none is given.`);
    texts.push(place.twin);
  }
  if (!texts.length)
    throw new Error(
      `${name}: in a page \`${argument}\` is a text, texts, the twin or values; ` +
        "textgate.explorer.portable makes it so.",
    );
  return texts.map((text) =>
    place.read(text)[layer.name].map((signals) => {
      const values = layer.signal(signal, signals);
      return units.map((unit) => values[unit]);
    }),
  );
}

/**
 * @param {EditJSON["units"]} units
 * @param {Layer} layer
 * @param {string} name
 * @returns {number[]}
 */
function chosenUnits(units, layer, name) {
  const all = Array.from({ length: layer.units }, (_, unit) => unit);
  if (units === null || units === undefined) return all;
  if (typeof units === "number") units = [units];
  if (!Array.isArray(units)) {
    const [start, stop, step] = slice(units.slice, layer.units);
    /** @type {number[]} */
    const chosen = [];
    for (let unit = start; step > 0 ? unit < stop : unit > stop; unit += step) chosen.push(unit);
    return chosen;
  }
  const wrong = units.filter((unit) => !Number.isInteger(unit) || unit < 0 || unit >= layer.units);
  if (wrong.length || new Set(units).size < units.length)
    throw new Error(
      `${name}: \`units\` must be different numbers from 0 to ${layer.units - 1}. Received: ${units}`,
    );
  return units;
}

/**
 * Return start, stop and step of a slice of so many, as Python has it.
 * @param {(number | null)[]} parts
 * @param {number} count
 * @returns {[number, number, number]}
 */
function slice([start, stop, step], count) {
  const by = step ?? 1;
  const [least, most] = by > 0 ? [0, count] : [-1, count - 1];
  const within = (/** @type {number} */ n) => Math.min(most, Math.max(least, n < 0 ? n + count : n));
  return [
    start === null ? (by > 0 ? least : most) : within(start),
    stop === null ? (by > 0 ? most : least) : within(stop),
    by,
  ];
}

/**
 * @param {EditJSON["steps"]} steps
 * @param {number} length
 * @param {string} name
 * @returns {(step: number) => boolean}
 */
function chosenSteps(steps, length, name) {
  if (steps === null || steps === undefined) return () => true;
  if ("slice" in steps) {
    const [start, stop, by] = steps.slice;
    const first = start ?? 0;
    return (step) => step >= first && step < (stop ?? Infinity) && (step - first) % (by ?? 1) === 0;
  }
  if (steps.rows.length !== 1 || steps.rows[0].length !== length)
    throw new Error(
      `${name}: \`steps\` must be one row for the text, of as many steps as it has, ${length}. ` +
        `Received: ${steps.rows.length} rows of ${steps.steps}`,
    );
  return (step) => steps.rows[0][step] === "1";
}

/**
 * @param {number[][]} basis
 * @param {number} count
 * @param {string} name
 * @returns {number[][]} Q Qᵀ
 */
function projection(basis, count, name) {
  if (basis.length !== count)
    throw new Error(`${name}: \`subspace\` must have ${count} rows. Received: ${basis.length}`);
  return basis.map((row) =>
    basis.map((other) => row.reduce((sum, value, k) => sum + value * other[k], 0)),
  );
}

/** @param {number} n */
const identity = (n) => zeros(n).map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
/** @param {number} n */
const zeros = (n) => Array.from({ length: n }, () => new Array(n).fill(0));
/**
 * @param {number[]} row
 * @param {number[][]} matrix
 */
const times = (row, matrix) =>
  matrix[0].map((_, j) => row.reduce((sum, value, i) => sum + value * matrix[i][j], 0));
