/** A checksum of the kernels' C++, by which builds know the sources that they were made from. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const folder = new URL("../kernels/", import.meta.url);

/** Files that only one of the two builds reads. */
const OTHERS = { native: ["wasm.cpp"], wasm: ["node.cpp", "threads.hpp", "variant.cpp", "variant.hpp"] };

/** The files that a build reads, in order: name and text. @param {"native" | "wasm"} build */
export const kernelSources = (build) =>
  readdirSync(folder)
    .filter((name) => /\.[ch]pp$/.test(name) && !OTHERS[build].includes(name))
    .sort()
    .map((name) => [name, readFileSync(new URL(name, folder), "utf8").replaceAll("\r\n", "\n")]);

/** SHA-256 of names, texts, and what else decides about a build, a zero behind each. @param {"native" | "wasm"} build */
export const sourceHash = (build, ...settings) => {
  const hash = createHash("sha256");
  for (const text of [...kernelSources(build).flat(), ...settings.map((one) => JSON.stringify(one))])
    hash.update(text).update("\0");
  return hash.digest("hex");
};

if (argv[1] === fileURLToPath(import.meta.url)) console.log(sourceHash(argv[2]));
