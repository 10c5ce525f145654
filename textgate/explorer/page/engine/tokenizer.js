// The tokenizers: words, white space, characters. What a word is, and what lower case is, comes with
// the model: the rules and the table of characters that Python has. Nothing here knows what a letter is.

/**
 * @typedef {object} TokenizerPayload
 * @property {"words" | "whitespace" | "characters"} kind
 * @property {string[]} vocabulary All tokens in the order of their ids.
 * @property {[string, string][]} [rules] Of words: patterns and what takes their place, in order.
 * @property {[number, number, number, number][]} [capitals] Of words: first, last, step and offset of
 *   ranges of capital letters.
 * @property {[string, string][]} [spellings] Of characters: spellings and what takes their place.
 * @property {number | null} unknown The id of what isn't in the vocabulary; null if that is an error.
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
    this.kind = payload.kind;
    this.spellings = payload.spellings ?? [];
    /** @type {[RegExp, string][]} */
    this.rules = (payload.rules ?? []).map(([pattern, to]) => [new RegExp(pattern, "gu"), inJavaScript(to)]);
    /** @type {Map<number, number>} */
    this.lower = new Map();
    for (const [first, last, step, offset] of payload.capitals ?? [])
      for (let code = first; code <= last; code += step) this.lower.set(code, code + offset);
    this.ids = new Map(payload.vocabulary.map((word, id) => [word, id]));
    // A letter with an accent may be one character or two: both spellings are the word's.
    payload.vocabulary.forEach((word, id) => {
      if (/[^\0-\x7f]/.test(word))
        for (const form of ["NFC", "NFD"])
          if (!this.ids.has(word.normalize(form))) this.ids.set(word.normalize(form), id);
    });
  }

  /**
   * Return the words of a text.
   * @param {string} text
   * @returns {string[]}
   */
  split(text) {
    if (!isWellFormed(text))
      throw new Error("The text is not valid Unicode: it has half of a surrogate pair.");
    if (this.kind === "whitespace") return text.split(/[ \t\n\v\f\r]+/).filter(Boolean);
    if (this.kind === "characters")
      return [...this.spellings.reduce((own, [from, to]) => own.replaceAll(from, () => to), text)];
    return text.split(" ").flatMap((piece) => {
      let spaced = ` ${piece} `;
      for (const [pattern, to] of this.rules) spaced = spaced.replace(pattern, to);
      return spaced.split(" ").filter(Boolean);
    });
  }

  /**
   * Return the id of a token, of a word that is unknown as it is that of its lower-cased form; −1 if
   * there is none, not even for unknown ones.
   * @param {string} word
   * @returns {number}
   */
  idOf(word) {
    return this.ids.get(word) ?? this.ids.get(this.lowered(word)) ?? this.unknown ?? -1;
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
    if (ids.includes(-1))
      throw new Error(`The model has no token for '${words[ids.indexOf(-1) - 1]}', nor for unknown ones.`);
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
