// The word tokenizer: the rules and the table of characters that Python has, which come with the
// model. Nothing here knows what a letter is.

/**
 * @typedef {object} TokenizerPayload
 * @property {string[]} vocabulary All tokens in the order of their ids.
 * @property {[string, string][]} rules Patterns and what takes their place, in order.
 * @property {[number, number, number, number][]} capitals First, last, step and offset of ranges of
 *   capital letters.
 * @property {number} unknown The id of a word that isn't in the vocabulary.
 * @property {number} begin The id of the beginning of a text.
 */

/**
 * A text as the model reads it, its beginning included.
 * @typedef {{tokens: string[], ids: number[], unknown: boolean[]}} Reading
 */

export class Tokenizer {
  /** @param {TokenizerPayload} payload */
  constructor(payload) {
    this.vocabulary = payload.vocabulary;
    this.unknown = payload.unknown;
    this.begin = payload.begin;
    /** @type {[RegExp, string][]} */
    this.rules = payload.rules.map(([pattern, to]) => [new RegExp(pattern, "gu"), inJavaScript(to)]);
    /** @type {Map<number, number>} */
    this.lower = new Map();
    for (const [first, last, step, offset] of payload.capitals)
      for (let code = first; code <= last; code += step) this.lower.set(code, code + offset);
    this.ids = new Map(payload.vocabulary.map((word, id) => [word, id]));
  }

  /**
   * Return the words of a text.
   * @param {string} text
   * @returns {string[]}
   */
  split(text) {
    if (!isWellFormed(text))
      throw new Error("The text is not valid Unicode: it has half of a surrogate pair.");
    return text.split(" ").flatMap((piece) => {
      let spaced = ` ${piece} `;
      for (const [pattern, to] of this.rules) spaced = spaced.replace(pattern, to);
      return spaced.split(" ").filter(Boolean);
    });
  }

  /**
   * Return the id of a word, of one that is unknown as it is that of its lower-cased form.
   * @param {string} word
   * @returns {number}
   */
  idOf(word) {
    return this.ids.get(word) ?? this.ids.get(this.lowered(word)) ?? this.unknown;
  }

  /**
   * @param {string} word
   * @returns {string}
   */
  lowered(word) {
    let result = "";
    for (const character of word) {
      const code = /** @type {number} */ (character.codePointAt(0));
      result += String.fromCodePoint(this.lower.get(code) ?? code);
    }
    return result;
  }

  /**
   * Return a text as the model reads it, its beginning first.
   * @param {string} text
   * @returns {Reading}
   */
  read(text) {
    if (typeof text !== "string") throw new Error(`A text must be a string. Received: ${text}`);
    const words = this.split(text);
    const tokens = [this.vocabulary[this.begin], ...words];
    const ids = [this.begin, ...words.map((word) => this.idOf(word))];
    return { tokens, ids, unknown: ids.map((id) => id === this.unknown) };
  }
}

/** @param {string} to Python's way of naming what was matched. */
function inJavaScript(to) {
  return to.replace(/\$/g, "$$$$").replace(/\\0/g, "$$&").replace(/\\([1-9])/g, "$$$1");
}

/** @param {string} text */
function isWellFormed(text) {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
