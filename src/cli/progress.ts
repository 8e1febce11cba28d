/** How what takes long is shown: one live line on a terminal, plain lines elsewhere. Always on standard error. */

import { createLogUpdate } from "log-update";
import { bitsPerCharacter, type LanguageModelRun, type RunReport } from "../node/index.js";
import { formatCount, formatDuration, quoteText } from "./format.js";

/** The newest state of something that takes long. */
export interface StatusLine {
  /** Renews the live line; elsewhere prints it, if the last one is some time ago or it is final. */
  show(line: () => string, isFinal: boolean): void;
  /** Puts a line between the others. */
  say(text: string): void;
  /** Takes the live line away. */
  end(): void;
}

/** Seconds between plain lines. */
const PLAIN_INTERVAL = 10;

/** Makes the line that fits where standard error goes. */
export function statusLine(): StatusLine {
  const live = process.stderr.isTTY === true ? createLogUpdate(process.stderr) : undefined;
  let lastPlain = Number.NEGATIVE_INFINITY;
  const say = (text: string) => {
    live?.clear();
    process.stderr.write(`${text}\n`);
  };
  return {
    show: (line, isFinal) => {
      if (live) live(line());
      else if (performance.now() - lastPlain >= PLAIN_INTERVAL * 1000 || isFinal) {
        say(line());
        lastPlain = performance.now();
      }
    },
    say,
    end: () => live?.clear(),
  };
}

/** Follows a run. */
export interface ProgressDisplay extends Pick<StatusLine, "say" | "end"> {
  show(report: RunReport): void;
  /** Tokens per second of this session so far, and its seconds. */
  speed(): { readonly tokensPerSecond: number; readonly seconds: number };
}

/** Makes the display that fits where standard error goes. */
export function progressDisplay({ config, corpus, state }: LanguageModelRun): ProgressDisplay {
  const status = statusLine();
  const charactersPerToken = corpus.training.characters / corpus.training.tokens.length;
  const started = performance.now();
  const firstStep = state.progress.step;
  let tokens = 0;

  const seconds = () => (performance.now() - started) / 1000;
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
        status.say(
          `step ${step}: validation loss ${validationLoss.toFixed(3)}, ${bits} bits/char${isBest ? ", best so far" : ""}`,
        );
      }
      if (sample !== undefined) status.say(quoteText(sample));
      status.show(() => lineOf(report), step === config.steps);
    },
    say: status.say,
    end: status.end,
    speed: () => ({ tokensPerSecond: tokens / Math.max(seconds(), 1e-9), seconds: seconds() }),
  };
}
