/** Dates in words, put into figures by an encoder and a decoder. */

import { DATE_CHARACTERS, dates, ISO_CHARACTERS } from "../data/text-pairs.js";
import { translationExperiment } from "./translation.js";

/** Dates in five styles, to be written as year, month and day. */
export const dateFormat = translationExperiment({
  id: "date-format",
  title: "Writing dates in figures",
  source: {
    authors: "Cho et al.",
    year: 2014,
    title: "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    where: "the model; the task is a toy",
    link: "arXiv:1406.1078",
  },
  notes:
    "Five ways to write a day between 1950 and 2049; every tenth day is kept for testing. 128 units in the decoder and in each direction of the " +
    "encoder, and no attention: all that is known of the source is the encoder's last state.",
  characters: { source: DATE_CHARACTERS, target: ISO_CHARACTERS },
  longest: { source: "Wednesday, 30 September 2000".length, target: "2000-09-30".length },
  pairs: dates,
  attention: "none",
  updates: 3000,
});
