/** A diagnosis as plots. */

import { heatMap, lineChart, type PlotAxis, type PlotSeries, terminalChart } from "../plots/index.js";
import type { Diagnosis } from "../tasks/index.js";

const GRADIENT = {
  title: "Gradient of the loss of one step by the state some steps back",
  x: { label: "steps back" },
  y: { label: "norm, nats", scale: "log" },
} as const satisfies { title: string; x: PlotAxis; y: PlotAxis };

const gradientSeries = ({ gradientNorms }: Diagnosis): PlotSeries[] => [
  { name: "largest", points: gradientNorms.map(({ span, largest }) => [span, largest]) },
  { name: "median", points: gradientNorms.map(({ span, median }) => [span, median]) },
];

/** The gradient by steps back, for a terminal of 80 columns. */
export const gradientChart = (diagnosis: Diagnosis): string => terminalChart(gradientSeries(diagnosis), GRADIENT);

/** All pictures, by the names of their files. */
export function diagnosisPictures(diagnosis: Diagnosis): [name: string, svg: string][] {
  const { jacobianNormsBetween, gates, steps } = diagnosis;
  const all = jacobianNormsBetween.map((row) => row.concat(new Array<number>(steps + 1 - row.length).fill(Number.NaN)));
  const pictures: [string, string][] = [
    ["gradient.svg", lineChart(gradientSeries(diagnosis), GRADIENT)],
    [
      "jacobians.svg",
      heatMap(all, {
        title: "Norm of the Jacobian between two steps",
        x: { label: "from step" },
        y: { label: "to step" },
        value: { label: "norm", scale: "log" },
      }),
    ],
  ];
  if (gates.length > 0) {
    const series = gates.map(({ layer, gate, mean }) => ({
      name: `${gate}, layer ${layer}`,
      points: [...mean]
        .sort((a, b) => a - b)
        .map((value, place) => [(100 * (place + 0.5)) / mean.length, value] as const),
    }));
    const axes = {
      x: { label: "units from shut to open, %", range: [0, 100] },
      y: { label: "mean of the gate", range: [0, 1] },
    } as const;
    pictures.push(["gates.svg", lineChart(series, { title: "How far the gates are open", ...axes })]);
  }
  return pictures;
}
