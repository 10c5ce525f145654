"use strict";
// What all figures have in common: fonts, margins, widths. The figures themselves come as JSON.
const textgate = { drawn: new Set() };

textgate.config = {
  displaylogo: false,
  displayModeBar: false,
  responsive: false, // see below: one observer for all
  scrollZoom: false,
};

// How much room a legend above the figure takes; every entry gets as much as the longest.
textgate.legend = function (layout, series, width) {
  if (!layout.showlegend) return { room: 0, entry: 0 };
  const letters = Math.max(...series.map((one) => String(one.name || "").length));
  const entry = Math.min(7.2 * letters + 8, width - 60);
  const each = Math.max(1, Math.floor(width / (entry + 50)));
  return { room: 10 + 20 * Math.ceil(series.length / each), entry };
};

textgate.layout = function (given, width, series) {
  const legend = textgate.legend(given, series || [], width);
  const narrow = width < 480;
  const font = { family: "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif", size: narrow ? 11 : 12.5, color: "#1d2126" };
  const axis = (own) => Object.assign(
    { gridcolor: "#e6e9ed", linecolor: "#aab1ba", zerolinecolor: "#aab1ba", fixedrange: true, automargin: true },
    own || {},
  );
  const layout = Object.assign({}, given, {
    font,
    width,
    margin: Object.assign({ l: 48, r: 14, t: 10 + legend.room, b: 44 }, given.margin || {}),
    paper_bgcolor: "#fff",
    plot_bgcolor: "#fff",
    dragmode: false,
    hoverlabel: { font: { family: font.family, size: 13, color: "#1d2126" }, bgcolor: "#fff", bordercolor: "#545c66" },
    xaxis: axis(given.xaxis),
    yaxis: axis(given.yaxis),
    legend: { orientation: "h", x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top", bgcolor: "rgba(0,0,0,0)", entrywidth: legend.entry, font },
  });
  for (const name of ["xaxis", "yaxis"]) {
    const title = layout[name].title;
    if (title && title.text) layout[name].title = Object.assign({ standoff: 8, font: { size: font.size } }, title);
  }
  return layout;
};

textgate.draw = function (element) {
  const source = document.querySelector(`script[data-for="${CSS.escape(element.id)}"]`);
  if (!source) return;
  const figure = JSON.parse(source.textContent);
  const width = textgate.widthOf(element);
  const height = parseInt(element.style.height, 10) + textgate.legend(figure.layout, figure.data, width).room;
  element.style.height = `${height}px`;
  const layout = textgate.layout(figure.layout, width, figure.data);
  Plotly.newPlot(element, figure.data, Object.assign(layout, { height }), textgate.config);
  element.dataset.width = width;
  textgate.drawn.add(element);
};

textgate.widthOf = function (element) {
  return textgate.width || Math.max(240, Math.floor(element.getBoundingClientRect().width));
};

textgate.fit = function (width) {
  textgate.width = width;
  if (textgate.gates) textgate.gates.draw();
  for (const element of textgate.drawn) {
    const wanted = textgate.widthOf(element);
    if (String(wanted) === element.dataset.width) continue;
    element.dataset.width = wanted;
    Plotly.relayout(element, { width: wanted });
  }
};

document.addEventListener("DOMContentLoaded", () => {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      textgate.draw(entry.target);
    }
  }, { rootMargin: "600px" });
  const plots = Array.from(document.querySelectorAll(".plot")).filter((p) => document.querySelector(`script[data-for="${CSS.escape(p.id)}"]`));
  plots.forEach((plot) => seen.observe(plot));
  textgate.drawAll = () => plots.filter((plot) => !textgate.drawn.has(plot)).forEach((plot) => { seen.unobserve(plot); textgate.draw(plot); });
  let waiting = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => textgate.fit());
  });
  // Paper is some 680 pixels wide; figures that nobody has scrolled to have to be there, too.
  window.addEventListener("beforeprint", () => { textgate.drawAll(); textgate.fit(660); });
  window.addEventListener("afterprint", () => textgate.fit());
});
