(function () {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const palette = {
    light: ["#d9822b", "#0f8b8d", "#8e44ad", "#b5483f", "#5b7f2b", "#c2528b", "#8a6d3b", "#3d6b8e"],
    dark: ["#f0a35e", "#4fc3c5", "#c58be0", "#f08a80", "#a3cc6b", "#ec8fbd", "#d3b57c", "#86b6da"],
  };

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function dress(trace) {
    const role = trace.meta.role;
    if (role === "buy" || role === "sell") {
      const mark = {
        symbol: role === "buy" ? "triangle-up" : "triangle-down",
        size: 9,
        color: colour(role === "buy" ? "up" : "down"),
        line: { width: 1, color: colour("card") },
      };
      return Object.assign({}, trace, { marker: mark });
    }
    if (role === "drawdown") {
      return Object.assign({}, trace, { fillcolor: colour("fall"), line: { width: 1, color: colour("down") } });
    }
    if (role.startsWith("part")) {
      const list = palette[dark.matches ? "dark" : "light"];
      return Object.assign({}, trace, { line: { width: 1.4, color: list[Number(role.slice(4)) % list.length] } });
    }
    return Object.assign({}, trace, { line: { width: role === "total" ? 2 : 1.3, color: colour(role) } });
  }

  function axis(own) {
    return Object.assign(
      { gridcolor: colour("grid"), linecolor: colour("line"), zeroline: false, automargin: true },
      own
    );
  }

  function layout(own) {
    const whole = Object.assign({}, own, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("dim"), size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 64, r: 12, t: 28, b: 36 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("dim"), activecolor: colour("text") },
      hovermode: "x unified",
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") } },
    });
    for (const name of Object.keys(own)) {
      if (/^[xy]axis/.test(name)) whole[name] = axis(own[name]);
    }
    return whole;
  }

  const config = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  };

  function draw(id, figure) {
    Plotly.react(id, figure.data.map(dress), layout(figure.layout), config);
  }

  const chooser = document.getElementById("symbol");

  function drawPrice() {
    const figure = figures.prices[chooser.selectedIndex];
    if (!figure) return;
    draw("price", figure);
    document.getElementById("price-note").textContent = figure.note;
  }

  function drawAll() {
    draw("equity", figures.equity);
    drawPrice();
  }

  chooser.addEventListener("change", drawPrice);
  dark.addEventListener("change", drawAll);
  drawAll();
})();
