/**
 * Plots of numbers: as SVG pictures and as text for terminals, from the same data.
 *
 * @module plots
 */
export type { PlotAxis, PlotSeries } from "./axis.js";
export { type HeatMapOptions, heatMap } from "./heat-map.js";
export { type LineChartOptions, lineChart } from "./line-chart.js";
export { type TerminalChartOptions, terminalChart } from "./terminal-chart.js";
export { type TerminalHeatMapOptions, terminalHeatMap } from "./terminal-heat-map.js";
