"use strict";
// The gate view: packed traces, five choices, a heat map of words by units, a curve beside its twin.
(function () {
  const source = document.getElementById("gate-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const byId = (id) => document.getElementById(id);
  const state = { layer: 0, sentence: 0, side: 0, signal: 0, count: 0, unit: 0 };
  const SEQUENTIAL = [[0, "#ffffff"], [0.25, "#cfe1ec"], [0.5, "#86b4d0"], [0.75, "#2f78a8"], [1, "#05304f"]];
  const DIVERGING = [[0, "#0b4a75"], [0.25, "#6aa6cc"], [0.5, "#ffffff"], [0.75, "#ee9a5e"], [1, "#9c3c00"]];
  const MARKS = { sufficient: "#D55E00", necessary: "#B0568C" };

  const layer = () => data.layers[state.layer];
  const model = () => data.models[layer().model];
  const sentence = () => model().sentences[state.sentence];
  const signal = () => layer().signals[state.signal];
  const isTight = () => window.innerWidth < 640;

  // Rows of the packed numbers: each sentence, then its twin.
  function rowsOf(m) {
    if (m.rows) return m.rows;
    let at = 0;
    m.rows = m.sentences.map((s) => {
      const here = [at, at + s.words.length];
      at += s.words.length + s.twinWords.length;
      return here;
    });
    return m.rows;
  }

  function numbersOf(s) {
    if (s.numbers) return s.numbers;
    const text = atob(s.data);
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    if (s.type === "u1") s.numbers = (at) => bytes[at] * s.factor;
    else if (s.type === "i1") s.numbers = (at) => view.getInt8(at) * s.factor;
    else s.numbers = (at) => view.getInt16(2 * at, true) * s.factor;
    return s.numbers;
  }

  function valuesOf(side, of) {
    const s = sentence();
    const words = side ? s.twinWords : s.words;
    const first = rowsOf(model())[state.sentence][side];
    const read = numbersOf(of || signal());
    const units = layer().units;
    return words.map((_, step) => (unit) => read((first + step) * units + unit));
  }

  // Marked units first, then those that differ most between sentence and twin in the memory.
  function ranked() {
    const l = layer();
    const memory = l.signals.find((s) => s.name === l.memory) || l.signals[0];
    const here = valuesOf(0, memory), there = valuesOf(1, memory);
    const steps = Math.min(here.length, there.length);
    const apart = new Float64Array(l.units);
    for (let unit = 0; unit < l.units; unit++) {
      for (let step = 0; step < steps; step++) apart[unit] += Math.abs(here[step](unit) - there[step](unit));
    }
    const marked = (unit) => { const kind = l.marked[l.numbers[unit]]; return kind === "sufficient" ? 2 : kind ? 1 : 0; };
    return Array.from(apart.keys()).sort((a, b) => marked(b) - marked(a) || apart[b] - apart[a] || a - b);
  }

  const clean = (word) => (word === "<bos>" ? "(start)" : word);
  const short = (word) => (word.length > 12 ? word.slice(0, 11) + "…" : word);
  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const label = (unit) => { const n = layer().numbers[unit]; return layer().marked[n] ? `★${n}` : String(n); };
  const shown = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

  // --- the choices ---------------------------------------------------------------------------
  function fill(select, options, chosen) {
    select.replaceChildren();
    let group = null;
    for (const option of options) {
      if (option.group !== undefined && (!group || group.label !== option.group)) {
        group = document.createElement("optgroup");
        group.label = option.group;
        select.append(group);
      }
      const element = document.createElement("option");
      element.value = option.value;
      element.textContent = option.text;
      (group || select).append(element);
    }
    select.value = String(chosen);
  }

  function choices() {
    fill(byId("gate-layer"), data.layers.map((l, value) => ({ value, text: l.name })), state.layer);
    fill(byId("gate-sentence"), model().sentences.map((s, value) => ({ value, text: s.text, group: s.group })), state.sentence);
    const s = sentence();
    fill(byId("gate-side"), [{ value: 0, text: `${s.good} (this sentence)` }, { value: 1, text: `${s.bad} (its twin)` }], state.side);
    fill(byId("gate-signal"), layer().signals.map((one, value) => ({ value, text: `${one.label}: ${one.role}` })), state.signal);
    const counts = [16, 40, 80].filter((n) => n < layer().units).concat(layer().units);
    if (!counts.includes(state.count)) state.count = isTight() ? counts[0] : counts[Math.min(1, counts.length - 1)];
    fill(byId("gate-count"), counts.map((n) => ({ value: n, text: n === layer().units ? `all ${n}` : `${n}` })), state.count);
    const order = ranked();
    const named = order.filter((unit) => layer().marked[layer().numbers[unit]]);
    fill(byId("gate-unit"), [
      ...named.map((unit) => ({ value: unit, text: `★ ${layer().numbers[unit]}`, group: "found to carry it" })),
      ...Array.from(layer().numbers.keys()).map((unit) => ({ value: unit, text: String(layer().numbers[unit]), group: "all units" })),
    ], state.unit);
  }

  function says() {
    const s = sentence();
    const words = (state.side ? s.twinWords : s.words).slice(1, s.target).map(clean).join(" ").replace(/ ([,.;:!?])/g, "$1");
    const own = state.side ? s.bad : s.good, other = state.side ? s.good : s.bad;
    const chance = state.side ? s.p_twin : s.p_good;
    const parts = [];
    const percent = (p) => `${(100 * p).toFixed(p > 0.995 || p < 0.005 ? 1 : 0)} %`;
    if (chance !== undefined) parts.push(`After “${words}”, the model gives “${own}” ${percent(chance)} and “${other}” ${percent(1 - chance)} of what it gives to the two.`);
    if (!state.side && s.p_exchanged !== undefined) parts.push(`With the starred units taken from the twin, “${own}” gets ${percent(s.p_exchanged)}.`);
    if (s.unknown) parts.push(`The model doesn’t know: ${s.unknown}.`);
    byId("gate-says").textContent = parts.join(" ");
  }

  // --- the figures -----------------------------------------------------------------------------
  function drawMap() {
    const element = byId("gate-map");
    const s = sentence(), one = signal();
    const words = (state.side ? s.twinWords : s.words).map(clean);
    const values = valuesOf(state.side);
    const order = ranked().slice(0, state.count);
    if (!order.includes(state.unit)) order.push(state.unit);
    const z = values.map((row) => order.map((unit) => row(unit)));
    const text = values.map((row, step) => order.map((unit) => `<b>${escape(words[step])}</b>, unit ${label(unit)}<br>${one.label} ${shown(row(unit))}`));
    const gate = one.kind === "gate";
    const width = textgate.widthOf(element);
    // As many numbers as have room, the marked units' before the others'.
    const column = (width - 90) / order.length;
    const isMarked = (at) => layer().marked[layer().numbers[order[at]]] !== undefined;
    const ticks = [];
    const places = Array.from(order.keys());
    for (const at of places.filter(isMarked).concat(places.filter((one) => !isMarked(one)))) {
      if (ticks.every((other) => Math.abs(other - at) * column >= 15)) ticks.push(at);
    }
    ticks.sort((a, b) => a - b);
    const line = column < 8 ? 1 : 2;
    const shapes = [];
    order.forEach((unit, at) => {
      const kind = layer().marked[layer().numbers[unit]];
      if (kind) shapes.push({ type: "rect", x0: at - 0.5, x1: at + 0.5, y0: -0.5, y1: words.length - 0.5, line: { color: MARKS[kind], width: line } });
      if (unit === state.unit) shapes.push({ type: "rect", x0: at - 0.5, x1: at + 0.5, y0: -0.5, y1: words.length - 0.5, line: { color: "#1d2126", width: line, dash: "dot" } });
    });
    shapes.push({ type: "line", xref: "paper", x0: -0.01, x1: 1, y0: s.target - 0.5, y1: s.target - 0.5, line: { color: "#1d2126", width: 1 } });
    const trace = {
      type: "heatmap", z, text, hoverinfo: "text", xgap: order.length > 60 ? 0 : 1, ygap: 1,
      colorscale: gate ? SEQUENTIAL : DIVERGING,
      zmin: gate ? 0 : -one.limit, zmax: gate ? 1 : one.limit,
      colorbar: { orientation: "h", thickness: 9, len: 0.5, x: 1, xanchor: "right", y: 1.01, yanchor: "bottom", outlinewidth: 0, tickfont: { size: 10.5 }, tickvals: gate ? [0, 0.5, 1] : [-one.limit, 0, one.limit], ticktext: gate ? ["0", "½", "1"] : [shown(-one.limit), "0", shown(one.limit)], ticks: "" },
    };
    const layout = textgate.layout({
      margin: { l: 60, r: 10, t: 46, b: 40 },
      xaxis: { tickvals: ticks, ticktext: ticks.map((at) => label(order[at])), tickangle: order.length > 12 ? -90 : 0, title: { text: "unit", standoff: 14 }, showgrid: false, zeroline: false, range: [-0.5, order.length - 0.5], ticks: "" },
      yaxis: { tickvals: words.map((_, at) => at), ticktext: words.map((word, at) => (at === s.target ? `<b>${escape(short(word))}</b>` : escape(short(word)))), range: [words.length - 0.5, -0.5], showgrid: false, zeroline: false, ticks: "" },
      shapes,
    }, width);
    layout.height = 110 + 24 * words.length;
    element.style.height = `${layout.height}px`;
    textgate.gateOrder = order;
    Plotly.react(element, [trace], layout, textgate.config);
    element.dataset.width = width;
    if (!element.dataset.ready) {
      element.dataset.ready = "yes";
      element.on("plotly_click", (event) => choose(textgate.gateOrder[event.points[0].x]));
    }
  }

  function drawCurve() {
    const element = byId("gate-curve");
    const s = sentence(), one = signal();
    const width = textgate.widthOf(element);
    const sides = [s.words.map(clean), s.twinWords.map(clean)];
    const names = [`“${s.text}”`, `“${s.twin}”`];
    const traces = [0, 1].map((side) => ({
      type: "scatter", mode: "lines+markers",
      name: escape(names[side].length > 46 ? `${names[side].slice(0, 45)}…” ` : names[side]),
      x: sides[side].map((_, at) => at),
      y: valuesOf(side).map((row) => row(state.unit)),
      text: sides[side].map((word) => escape(word)),
      hovertemplate: `<b>%{text}</b>, unit ${label(state.unit)}<br>${one.label} %{y:.2f}<extra></extra>`,
      line: { color: side ? "#D55E00" : "#0072B2", dash: side ? "dash" : "solid", width: 2.5 },
      marker: { symbol: side ? "diamond" : "circle", size: 8 },
    }));
    const words = sides[0].map((word, at) => {
      const other = sides[1][at];
      const both = other !== undefined && other !== word ? `${short(word)} / ${short(other)}` : short(word);
      return escape(both);
    });
    const gate = one.kind === "gate";
    const layout = textgate.layout({
      xaxis: { tickvals: words.map((_, at) => at), ticktext: words, tickangle: -40, showgrid: false, zeroline: false, range: [-0.4, words.length - 0.6] },
      yaxis: { title: { text: `${one.label}, unit ${label(state.unit)}` }, range: gate ? [-0.04, 1.04] : undefined, zeroline: !gate },
      shapes: [{ type: "line", yref: "paper", x0: s.target - 0.5, x1: s.target - 0.5, y0: 0, y1: 1, line: { color: "#8A8F98", width: 1.5, dash: "dot" } }],
      annotations: [{ x: s.target - 0.5, yref: "paper", y: 0, xanchor: "right", yanchor: "bottom", showarrow: false, text: "decided here ", font: { size: 11, color: "#545c66" } }],
      showlegend: true,
    }, width, traces);
    layout.margin.b = 60;
    layout.height = 300 + layout.margin.t;
    element.style.height = `${layout.height}px`;
    Plotly.react(element, traces, layout, textgate.config);
    element.dataset.width = width;
  }

  function choose(unit) {
    state.unit = unit;
    update();
  }

  function update() {
    choices();
    says();
    drawMap();
    drawCurve();
  }

  function begin(afresh) {
    const l = layer();
    const memory = l.signals.findIndex((s) => s.name === l.memory);
    if (afresh) state.signal = Math.max(0, memory);
    state.signal = Math.min(state.signal, l.signals.length - 1);
    state.sentence = Math.min(state.sentence, model().sentences.length - 1);
    state.unit = ranked()[0];
    state.count = 0;
  }

  document.addEventListener("DOMContentLoaded", () => {
    begin(true);
    const on = (id, name, after) => byId(id).addEventListener("change", (event) => {
      state[name] = Number(event.target.value);
      if (after) after();
      update();
    });
    on("gate-layer", "layer", () => begin(true));
    on("gate-sentence", "sentence");
    on("gate-side", "side");
    on("gate-signal", "signal");
    on("gate-count", "count");
    on("gate-unit", "unit");
    update();
    textgate.gates = { state, data, draw: () => { drawMap(); drawCurve(); } };
  });
})();
