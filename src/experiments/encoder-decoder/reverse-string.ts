/** Strings, reversed by an encoder and a decoder. */

import { LETTERS, reversals } from "../data/text-pairs.js";
import { translationExperiment } from "./translation.js";

/** Random strings, to be written backwards. */
export const reverseString = translationExperiment({
  id: "reverse-string",
  title: "Reversing strings",
  source: {
    authors: "Bahdanau, Cho & Bengio",
    year: 2015,
    title: "Neural machine translation by jointly learning to align and translate",
    where: "the model; the task is a toy",
    link: "arXiv:1409.0473",
  },
  notes:
    "Strings of 5 to 10 letters; 128 units in the decoder and in each direction of the encoder. Without attention, such a network gets 69 % right " +
    "after 5,000 updates.",
  characters: { source: LETTERS, target: LETTERS },
  longest: { source: 10, target: 10 },
  pairs: (key, count) => reversals(key, count),
  attention: "additive",
  updates: 3000,
});
