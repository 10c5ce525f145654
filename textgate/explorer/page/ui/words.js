// The text and its words: where each stands, what it can be exchanged for, and the twin.

/** @import {Data, Pair, Run} from "./types.js" */

// A probability below which nobody would say that the model expects the word.
const NOTABLE = 0.02;

/**
 * Finds the tokens in the text that they are of.
 *
 * @param {string} text
 * @param {string[]} tokens  "<bos>" first
 * @returns {({start: number, end: number} | null)[]}  null where a token stands nowhere
 */
export function placesOf(text, tokens) {
  const lower = text.toLowerCase();
  let from = 0;
  return tokens.map((token, step) => {
    if (step === 0 && token === "<bos>") return null;
    let start = text.indexOf(token, from);
    if (start < 0 && lower.length === text.length) start = lower.indexOf(token.toLowerCase(), from);
    if (start < 0) return null;
    from = start + token.length;
    return { start, end: from };
  });
}

/** The text with another word in one place. */
export function exchanged(text, place, word) {
  return text.slice(0, place.start) + likeCased(word, text.slice(place.start, place.end), place.start === 0) + text.slice(place.end);
}

/** The text with a word behind it. */
export function appended(text, word) {
  const clean = text.replace(/\s+$/, "");
  const close = /^[.,;:!?)'’]|^n['’]t$/.test(word);
  return clean === "" ? capital(word) : clean + (close ? "" : " ") + word;
}

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const isCapital = (word) => word.charAt(0) !== word.charAt(0).toLowerCase();

// At the beginning of a sentence "he" becomes "He" where "She" stood; "Maria" stays "Maria".
function likeCased(word, old, first) {
  if (isCapital(word)) return word;
  return first && isCapital(old) ? capital(word) : word;
}

/**
 * The words that pairs ask for, in both forms: "her", "his", "herself", …
 *
 * @param {Pair[]} pairs
 * @returns {string[]}
 */
export function formsOf(pairs) {
  const counts = new Map();
  for (const pair of pairs) {
    for (const word of [pair.good, pair.bad]) counts.set(word, (counts.get(word) || 0) + 1);
  }
  return [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
}

/**
 * The counterpart of a text: its first word that has one is exchanged, and of the later ones those
 * that must agree with it. A text of a held-out pair has the pair's.
 *
 * @param {string} text
 * @param {string[]} tokens
 * @param {Data} data
 * @param {Set<string>} forms
 * @returns {string | null}  null where no word has a counterpart
 */
export function twinOf(text, tokens, data, forms) {
  const known = pairOf(text, data);
  if (known) return known.text === text.trim() ? known.twin : known.text;
  let twin = text, found = false;
  const places = placesOf(text, tokens);
  // From the last word to the first, so that earlier places stay where they are.
  const first = tokens.findIndex((token, step) => places[step] && counterpartOf(token, data) !== null);
  for (let step = tokens.length - 1; step >= Math.max(first, 0); step--) {
    const place = places[step];
    const other = place && counterpartOf(tokens[step], data);
    if (!other || (step !== first && !forms.has(tokens[step].toLowerCase()))) continue;
    twin = exchanged(twin, place, isCapital(tokens[step]) && place.start === 0 ? capital(other) : other);
    found = true;
  }
  return found ? twin : null;
}

/** The held-out pair of a text, or null. */
export function pairOf(text, data) {
  const trimmed = text.trim();
  return data.pairs.find((pair) => pair.text === trimmed || pair.twin === trimmed) || null;
}

/** The counterpart of a word, or null. */
export function counterpartOf(token, data) {
  const twins = data.lexicon.twins;
  for (const form of [token, token.toLowerCase()]) {
    if (Object.prototype.hasOwnProperty.call(twins, form)) return twins[form];
  }
  return null;
}

/**
 * Whether the model's best form is of the wrong class, as the lexicon's classes have it.
 *
 * @param {Run} run
 * @returns {{best: string, about: string} | null}
 */
export function mistakeOf(run, step, data, forms) {
  const classes = new Map(Object.entries(data.lexicon.classes ?? {}));
  const classOf = (word) => classes.get(word) ?? classes.get(word.toLowerCase());
  const marked = run.tokens.slice(0, step + 1).filter((token) => classOf(token) !== undefined);
  // Where words of both classes stand, either form may be right.
  if (new Set(marked.map(classOf)).size !== 1) return null;
  const [about] = marked;
  let best = "", most = NOTABLE;
  for (const [word, chance] of chancesOf(run, step)) {
    if (forms.has(word) && classOf(word) !== undefined && chance > most) [best, most] = [word, chance];
  }
  return best === "" || classOf(best) === classOf(about) ? null : { best, about };
}

/**
 * How likely each word is after a step, of those asked for and the likeliest.
 *
 * @param {Run} run
 * @param {number} step
 * @returns {Map<string, number>}
 */
export function chancesOf(run, step) {
  const chances = [...(run.asked?.[step] ?? []), ...run.next[step]];
  return new Map(chances.map(({ word, probability }) => [word, probability]));
}
