/* Draws each [data-chart] from the table that data-src names: the table is the single source of its numbers.
   First column: the category. Further columns: the series; data-cols="0,2" picks some of them. */
(function () {
  "use strict";
  if (!window.echarts) return;

  var COLOURS = ["#0a57c2", "#b57b00", "#0b7a6b", "#5a4fb0", "#5f6b7b"];
  var FUNNEL_COLOURS = ["#083a85", "#0a57c2", "#2f7de0", "#67a3ec", "#8fbcf2", "#0b7a3e", "#0b6b37"];
  var SYMBOLS = ["circle", "rect", "triangle"];
  var AXIS = {
    axisLine: { lineStyle: { color: "#c9d2df" } },
    axisLabel: { color: "#56606f", fontSize: 12 },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: "#edf1f6" } },
  };

  function axis(own) { return Object.assign({}, own, AXIS); }
  function cells(row) { return [].slice.call(row.children).map(function (cell) { return cell.textContent.trim(); }); }
  function number(text) {
    var value = parseFloat(text.replace(/[,%\s]/g, ""));
    return isNaN(value) ? null : value;
  }

  function read(table, wanted) {
    var names = cells(table.querySelector("thead tr")).slice(1);
    var rows = [].slice.call(table.querySelectorAll("tbody tr")).map(cells);
    var columns = wanted.length ? wanted : names.map(function (_, i) { return i; });
    return {
      categories: rows.map(function (row) { return row[0]; }),
      series: columns.map(function (i) {
        return { name: names[i], values: rows.map(function (row) { return number(row[i + 1]); }) };
      }),
    };
  }

  function slices(data, colours) {
    return data.categories.map(function (name, i) {
      return { name: name, value: data.series[0].values[i], itemStyle: { color: colours[i % colours.length] } };
    });
  }

  var DRAW = {
    funnel: function (data, small) {
      return {
        tooltip: { trigger: "item" },
        series: [{
          type: "funnel", left: "4%", width: small ? "52%" : "60%", top: 8, bottom: 8, minSize: "16%", sort: "none",
          gap: 2, label: { position: "right", color: "#1f2733", formatter: "{b}  {c}" }, labelLine: { length: 8 },
          data: slices(data, FUNNEL_COLOURS),
        }],
      };
    },
    pie: function (data, small) {
      return {
        tooltip: { trigger: "item" },
        series: [{
          type: "pie", radius: small ? ["28%", "50%"] : ["40%", "68%"],
          label: { color: "#1f2733", formatter: "{b}  {c}" }, data: slices(data, COLOURS),
        }],
      };
    },
    hbar: function (data, small) {
      var many = data.series.length > 1;
      return {
        tooltip: { trigger: "axis" },
        legend: many ? { top: 2, itemWidth: 14, itemHeight: 10, itemGap: 24 } : undefined,
        grid: { left: 4, right: 34, top: many ? 30 : 8, bottom: 4, containLabel: true },
        xAxis: axis({ type: "value" }),
        yAxis: Object.assign(axis({ type: "category", inverse: true, data: data.categories }), {
          /* the table has the whole name */
          axisLabel: Object.assign({ width: small ? 112 : 220, overflow: "truncate" }, AXIS.axisLabel),
        }),
        series: data.series.map(function (one) {
          return {
            name: one.name, type: "bar", data: one.values, barMaxWidth: 13,
            label: { show: true, position: "right", color: "#3d4654", fontSize: 11 },
          };
        }),
      };
    },
    scatter: function (data) {
      return {
        tooltip: { trigger: "item" },
        grid: { left: 4, right: 20, top: 24, bottom: 4, containLabel: true },
        xAxis: axis({ type: "value", name: data.series[0].name }),
        yAxis: axis({ type: "value", name: data.series[1].name }),
        series: [{
          type: "scatter", symbolSize: 9,
          data: data.categories.map(function (name, i) {
            return { name: name, value: [data.series[0].values[i], data.series[1].values[i]] };
          }),
        }],
      };
    },
  };

  function upright(kind) {
    return function (data) {
      return {
        tooltip: { trigger: "axis" },
        legend: { top: 2, itemWidth: 16, itemHeight: 10, itemGap: 20 },
        grid: { left: 4, right: 14, top: 34, bottom: 4, containLabel: true },
        xAxis: axis({ type: "category", data: data.categories }),
        yAxis: axis({ type: "value" }),
        series: data.series.map(function (one, i) {
          return {
            name: one.name, type: kind === "line" ? "line" : "bar", stack: kind === "stack" ? "all" : undefined,
            data: one.values, barMaxWidth: 22, symbol: SYMBOLS[i % 3], symbolSize: 6,
            lineStyle: { width: 2, type: i % 2 ? "dashed" : "solid" },
          };
        }),
      };
    };
  }
  ["bar", "stack", "line"].forEach(function (kind) { DRAW[kind] = upright(kind); });

  [].forEach.call(document.querySelectorAll("[data-chart]"), function (box) {
    var table = document.querySelector(box.getAttribute("data-src"));
    var draw = DRAW[box.getAttribute("data-chart")];
    if (!table || !draw || !table.querySelector("tbody tr")) return;
    var wanted = (box.getAttribute("data-cols") || "").split(",").filter(Boolean).map(Number);
    var options = draw(read(table, wanted), box.clientWidth < 460);
    options.color = COLOURS;
    options.animation = false;
    /* "inherit" means nothing where the width of a label is measured */
    options.textStyle = { fontFamily: window.getComputedStyle(box).fontFamily };
    options.aria = { enabled: false }; /* the box carries its own label and the table its numbers */
    var chart = window.echarts.init(box, null, { renderer: "svg" });
    chart.setOption(options);
    window.addEventListener("resize", function () { chart.resize(); });
  });
})();
