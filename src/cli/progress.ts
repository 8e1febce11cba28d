/** How training is shown: one live line on a terminal, plain lines elsewhere. Always on standard error. */

import { createLogUpdate } from "log-update";
import { bitsPerCharacter, type LanguageModelRun, type RunReport } from "../node/index.js";
import { formatCount, formatDuration, quoteText } from "./format.js";

/** Follows a run. */
export interface ProgressDisplay {
  show(report: RunReport): void;
  /** Puts a line between the others. */
  say(text: string): void;
  /** Takes the live line away. */
  end(): void;
  /** Tokens per second of this session so far, and its seconds. */
  speed(): { readonly tokensPerSecond: number; readonly seconds: number };
}

/** Seconds between plain lines. */
const PLAIN_INTERVAL = 10;

/** Makes the display that fits where standard error goes. */
export function progressDisplay({ config, corpus, state }: LanguageModelRun): ProgressDisplay {
  const live = process.stderr.isTTY === true ? createLogUpdate(process.stderr) : undefined;
  const charactersPerToken = corpus.training.characters / corpus.training.tokens.length;
  const started = performance.now();
  const firstStep = state.progress.step;
  let tokens = 0;
  let lastPlain = Number.NEGATIVE_INFINITY;

  const seconds = () => (performance.now() - started) / 1000;
  const say = (text: string) => {
    live?.clear();
    process.stderr.write(`${text}\n`);
  };
  const lineOf = ({ step, averageLoss }: RunReport): string => {
    const left = (seconds() / (step - firstStep)) * (config.steps - step);
    return [
      `step ${step}/${config.steps}`,
      `loss ${averageLoss.toFixed(3)}`,
      `${bitsPerCharacter(averageLoss, corpus.training).toFixed(3)} bits/char`,
      `${formatCount((tokens * charactersPerToken) / seconds())} chars/s`,
      `${formatDuration(left)} left`,
    ].join("  ");
  };
  return {
    show: (report) => {
      tokens += report.tokens;
      const { step, validationLoss, isBest, sample } = report;
      if (validationLoss !== undefined) {
        const bits = bitsPerCharacter(validationLoss, corpus.training).toFixed(3);
        say(
          `step ${step}: validation loss ${validationLoss.toFixed(3)}, ${bits} bits/char${isBest ? ", best so far" : ""}`,
        );
      }
      if (sample !== undefined) say(quoteText(sample));
      if (live) live(lineOf(report));
      else if (seconds() - lastPlain >= PLAIN_INTERVAL || step === config.steps) {
        say(lineOf(report));
        lastPlain = seconds();
      }
    },
    say,
    end: () => live?.clear(),
    speed: () => ({ tokensPerSecond: tokens / Math.max(seconds(), 1e-9), seconds: seconds() }),
  };
}
