/** Loads the native kernels, and chooses an instruction set. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import type { NativeAddon, NativeVariant } from "../runtime/index.js";
import { chooseInstructionSet } from "./instruction-set.js";

/** The addon, or the reason why it is not used. */
export type LoadedAddon = { readonly addon: NativeAddon } | { readonly reason: string };

/** The folder of this package, seen from src/node as from dist/node. */
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const BUILD_ANEW =
  "npm run build:native builds them (npm rebuild through-time --foreground-scripts where it is installed as a package)";

let loaded: LoadedAddon | undefined;

/** The native kernels of this package; loaded at the first call. */
export function nativeAddon(): LoadedAddon {
  loaded ??= loadAddon(PACKAGE);
  return loaded;
}

/** Loads the addon that was built in the folder of a package. @param folder ends with a slash */
export function loadAddon(folder: string): LoadedAddon {
  const path = `${folder}build/Release/through_time_kernels.node`;
  if (!existsSync(path)) {
    const why = whyNotBuilt(folder);
    return {
      reason:
        platform === "win32"
          ? "there is no build of them for Windows yet"
          : `not built${why === undefined ? "" : `: ${why}`}; ${BUILD_ANEW}`,
    };
  }
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(path);
  } catch (error) {
    const [message] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { reason: `they cannot be loaded on ${platform} ${arch}: ${message}; ${BUILD_ANEW}` };
  }
  // Sources of another version speak another code.
  const sources = sourceHash(`${folder}kernels`);
  if (sources !== undefined && sources !== addon.sources) {
    return { reason: `they were built from other sources than those in kernels/; ${BUILD_ANEW}` };
  }
  return { addon };
}

/** What scripts/install-kernels.mjs left behind when it could not build. */
function whyNotBuilt(folder: string): string | undefined {
  const file = `${folder}build/not-built.txt`;
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** The checksum that scripts/kernel-sources.mjs makes, if the sources are there. */
function sourceHash(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder).filter((name) => /\.[ch]pp$/.test(name) && name !== "wasm.cpp");
  const hash = createHash("sha256");
  for (const name of names.sort()) {
    const text = readFileSync(`${folder}/${name}`, "utf8").replaceAll("\r\n", "\n");
    hash.update(name).update("\0").update(text).update("\0");
  }
  return hash.digest("hex");
}

/** The instruction set of the native kernels: the best of this processor, or that which the environment variable THROUGH_TIME_ISA names. */
export const chooseVariant = (variants: readonly NativeVariant[]): NativeVariant =>
  chooseInstructionSet(variants, "THROUGH_TIME_ISA");
