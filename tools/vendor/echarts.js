// The charts that the marketplace draws and nothing else: the full build is twice as large.
import * as core from "echarts/core";
import { BarChart, FunnelChart, LineChart, PieChart, ScatterChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

core.use([
  AriaComponent, BarChart, FunnelChart, GridComponent, LegendComponent, LineChart, PieChart, ScatterChart,
  SVGRenderer, TitleComponent, TooltipComponent,
]);

export const { init } = core;
