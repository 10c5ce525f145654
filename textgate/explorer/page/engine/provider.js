// Where the page's answers come from: the engine in the page, or the server that the page is from.
//
// Both answer the same questions; the server's answers are promises, so that the page always awaits.

import { Engine } from "./engine.js";
import { inflate } from "./numbers.js";

const QUESTIONS = ["describe", "knows", "run", "parts", "ledger", "tally", "prepare", "highest", "matches"];

/**
 * Return the data that the page holds.
 * @param {Document} page
 * @returns {import("./engine.js").Data & {server?: {path: string, models: string[]}}}
 */
export function dataOf(page) {
  return JSON.parse(page.getElementById("textgate-data")?.textContent ?? "{}");
}

/**
 * Return what answers for a page's data.
 * @param {ReturnType<typeof dataOf>} data
 * @returns {Promise<Engine | Record<string, any>>}
 */
export async function providerOf(data) {
  if (data.server) return remote(data, data.server);
  await inflate(data.models);
  return new Engine(data);
}

/**
 * @param {ReturnType<typeof dataOf>} data
 * @param {{path: string, models: string[]}} server
 * @returns {Record<string, any>}
 */
function remote(data, server) {
  /** @type {Record<string, any>} */
  const provider = { data, models: server.models };
  for (const question of QUESTIONS)
    provider[question] = async (/** @type {any} */ query) => {
      const body = JSON.stringify(typeof query === "string" ? { model: query } : (query ?? {}));
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(server.path + question, { method: "POST", headers, body });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}.`);
      return answer;
    };
  return provider;
}
