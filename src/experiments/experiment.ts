/** What an experiment is: what was claimed where, how it is repeated, and by which figures it is judged. */

import { isInRange, type Range } from "../core/index.js";

/** What was measured with one seed, by the names of the experiment's figures. */
export type Figures = Readonly<Record<string, number>>;

/** A figure of an experiment. */
export interface Figure {
  /** What it is, in a few words. */
  readonly name: string;
  /** The literature's value, where it gives one. */
  readonly paper?: number;
  /** What follows from the task, where the literature gives no value: chance, or the best that can be reached. */
  readonly derived?: number;
  /** Summed up over the runs that succeeded alone, as the literature does with presentations until then. @default false */
  readonly ofSuccesses?: boolean;
  /** Where the value must lie for a run to count as a success. Default: anywhere. */
  readonly aim?: Range;
}

/** Where an experiment comes from. */
export interface Source {
  readonly authors: string;
  readonly year: number;
  readonly title: string;
  /** Section, figure or table. */
  readonly where: string;
  /** An address that lasts, such as a DOI or arXiv number. */
  readonly link?: string;
}

/** How far a run is, and a point of its learning curve. */
export interface Progress {
  /** Part of the run that is done, in [0, 1]. */
  readonly done: number;
  /** The error that is learnt to make small; which one, the experiment says. */
  readonly error: number;
}

/** What one run is given. */
export interface RunSettings {
  /** Fixes all that is random; a whole number, not negative. */
  readonly seed: number;
  /** Name of the recurrent cell, one of the experiment's `cells`. */
  readonly cell: string;
  /** How it learns: one of the experiment's `methods`, if it has a choice of them. */
  readonly method?: string;
  /** Part of the experiment's training that is done, in (0, 1]. */
  readonly effort: number;
}

/** An experiment of the literature, ready to be repeated. */
export interface Experiment {
  /** As it is typed: `elman-1990/xor`. */
  readonly id: string;
  readonly title: string;
  readonly source: Source;
  /** What differs from the source, and anything else a reader of the figures must know. */
  readonly notes?: string;
  /** Id of the experiment in whose place a group runs this one: the same, but for what it takes to reach the source's figures. */
  readonly inPlaceOf?: string;
  /** What is measured, by name, in the order it is shown. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** What the learning curve shows. */
  readonly error: string;
  /** Recurrent cells it can be run with, the source's own one first. */
  readonly cells: readonly [string, ...string[]];
  /** Ways to learn it can be run with, the source's own one first. Default: there is no choice. */
  readonly methods?: readonly [string, ...string[]];
  /** One run: gives its progress now and then, and in the end a value for each of the figures. */
  run(settings: RunSettings): AsyncGenerator<Progress, Figures>;
}

/** Whether all figures that have an aim lie inside it; NaN lies nowhere. */
export const isSuccess = ({ figures }: Experiment, measured: Figures): boolean =>
  Object.entries(figures).every(([name, { aim }]) => aim === undefined || isInRange(measured[name] as number, aim));
