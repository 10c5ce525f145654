"use strict";
// What all figures have in common: fonts, margins, widths. The figures themselves come as JSON.
const textgate = { drawn: new Set() };

textgate.config = {
  displaylogo: false,
  displayModeBar: false,
  responsive: false, // see below: one observer for all
  scrollZoom: false,
};

textgate.layout = function (given, width) {
  const narrow = width < 480;
  const font = { family: "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif", size: narrow ? 11 : 12.5, color: "#1d2126" };
  const axis = (own) => Object.assign(
    { gridcolor: "#e6e9ed", linecolor: "#aab1ba", zerolinecolor: "#aab1ba", fixedrange: true, automargin: true },
    own || {},
  );
  const layout = Object.assign({}, given, {
    font,
    width,
    margin: Object.assign({ l: 48, r: 14, t: 10, b: 44 }, given.margin || {}),
    paper_bgcolor: "#fff",
    plot_bgcolor: "#fff",
    dragmode: false,
    hoverlabel: { font: { family: font.family, size: 13, color: "#1d2126" }, bgcolor: "#fff", bordercolor: "#545c66" },
    xaxis: axis(given.xaxis),
    yaxis: axis(given.yaxis),
    legend: Object.assign({ orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" }, given.legend || {}),
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
  const height = parseInt(element.style.height, 10) + (figure.layout.showlegend ? textgate.legendRoom(figure, width) : 0);
  element.style.height = `${height}px`;
  Plotly.newPlot(element, figure.data, Object.assign(textgate.layout(figure.layout, width), { height }), textgate.config);
  element.dataset.width = width;
  textgate.drawn.add(element);
};

// A legend that needs several lines takes them from the page, not from the figure.
textgate.legendRoom = function (figure, width) {
  const letters = figure.data.reduce((sum, one) => sum + 6 + String(one.name || "").length, 0);
  return Math.max(0, Math.ceil((letters * 7) / width) - 1) * 20;
};

textgate.widthOf = function (element) {
  return Math.max(240, Math.floor(element.getBoundingClientRect().width));
};

textgate.fit = function (width) {
  for (const element of textgate.drawn) {
    const wanted = width || textgate.widthOf(element);
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
