/** A toy grammar of flight booking: the verb tells whether the city after it is where one goes, or where one comes from. */

import { type Tensor, tensor } from "../../tensor/index.js";

const VERBS = ["arrive", "leave"] as const;
const CITIES = ["Taipei", "Paris", "Lagos", "Quito", "Oslo", "Lima"] as const;
const DAYS = ["Monday", "Tuesday", "Thursday", "Saturday"] as const;

/** All words; the token of a word is its place here. */
export const FLIGHT_WORDS: readonly string[] = [...VERBS, ...CITIES, "on", ...DAYS];
/** What a word stands for; the class of a slot is its place here. */
export const FLIGHT_SLOTS = ["other", "destination", "departure", "time"] as const;
/** Place of the city in every sentence: the one word that is ambiguous. */
export const CITY_PLACE = 1;

/** Sentences and the slots of their words. */
export type Flights = {
  /** int32 `[4, sentences]` */
  readonly words: Tensor;
  /** int32 `[4, sentences]` */
  readonly slots: Tensor;
};

/**
 * All sentences `arrive|leave <city> on <day>`. One pair of city and day in four is kept for testing, with both verbs, so that in
 * both parts each city is as often where one goes as where one comes from.
 */
export function flights(): { readonly training: Flights; readonly test: Flights } {
  const pairs = CITIES.flatMap((city, c) => DAYS.map((day, d) => ({ city, day, test: (c + d) % 4 === 0 })));
  const part = (test: boolean): Flights => {
    const sentences = pairs
      .filter((pair) => pair.test === test)
      .flatMap(({ city, day }) => VERBS.map((verb) => [verb, city, "on", day]));
    const byTime = (classOf: (sentence: string[], t: number) => number) =>
      tensor(
        [0, 1, 2, 3].map((t) => sentences.map((sentence) => classOf(sentence, t))),
        { dtype: "int32" },
      );
    return {
      words: byTime((sentence, t) => FLIGHT_WORDS.indexOf(sentence[t] as string)),
      slots: byTime(([verb], t) => [0, verb === "arrive" ? 1 : 2, 0, 3][t] as number),
    };
  };
  return { training: part(false), test: part(true) };
}
