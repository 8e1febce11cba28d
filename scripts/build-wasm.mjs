/**
 * Compiles kernels/wasm.cpp to WebAssembly and writes it, as text, to src/runtime/wasm/binary.ts, which is committed: so neither
 * users nor bundlers need a compiler or a file to fetch. The compiler is Clang, itself in WebAssembly, from npm: the same
 * bytes on every machine. With --check: compiles, and fails if the committed file differs. With --hash: prints the checksum of what it is made from.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { argv, exit } from "node:process";
import { kernelSources, sourceHash } from "./kernel-sources.mjs";

const FLAGS = [
  ...["-std=c++17", "-O3", "-DTT_VARIANT=wasm", "-DTT_WIDTH=4", "-msimd128", "-mbulk-memory"],
  ...["-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-Werror"],
  // No library: what is not an instruction of WebAssembly is in the sources.
  ...["-nostdlib", "-Wl,--no-entry", "-Wl,--strip-all"],
  // The host's memory, with the stack at its bottom, where an overflow traps. From __heap_base on it is the host's to lay out.
  ...["-Wl,--import-memory", "-Wl,--export=__heap_base", "-Wl,--stack-first", "-Wl,-z,stack-size=65536"],
  // Two pages: the stack, and constants. src/runtime/wasm/module.ts knows this number.
  "-Wl,--initial-memory=131072",
];

const target = new URL("../src/runtime/wasm/binary.ts", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** SHA-256 of the sources, the flags and the compiler's version. */
const wasmSourceHash = () => sourceHash("wasm", FLAGS, manifest.devDependencies["@yowasp/clang"]);

/** Compiles. @returns {Promise<Uint8Array>} the module */
async function compile() {
  const { commands, runLLVM } = await import("@yowasp/clang");
  await runLLVM(undefined, {}, { fetchProgress: () => {} }); // reads the compiler, without telling so
  const messages = [];
  const stderr = (bytes) => bytes === null || messages.push(Buffer.from(bytes));
  const sources = Object.fromEntries(kernelSources("wasm"));
  try {
    const files = await commands["clang++"]([...FLAGS, "wasm.cpp", "-o", "kernels.wasm"], sources, { stderr });
    return files["kernels.wasm"];
  } catch (error) {
    if (messages.length === 0) throw error;
    console.error(`${Buffer.concat(messages)}kernels/wasm.cpp could not be compiled`);
    return exit(1);
  }
}

/** The TypeScript file that holds a module. */
function fileOf(module, sources) {
  return `/** The kernels as a WebAssembly module. Made by \`npm run build:wasm\`; do not edit. */

/** SHA-256 of the sources, the flags and the version of the compiler that it was made with. */
export const WASM_SOURCES = "${sources}";

/** The module, in base64. */
export const WASM_BASE64 =
  "${Buffer.from(module).toString("base64")}";
`;
}

const sources = wasmSourceHash();
if (argv.includes("--hash")) {
  console.log(sources);
  exit(0);
}
const module = await compile();
const text = fileOf(module, sources);
if (argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("src/runtime/wasm/binary.ts is not what the kernels' sources give; run: npm run build:wasm");
    exit(1);
  }
  console.log(`src/runtime/wasm/binary.ts is what the kernels' sources give (${module.length} bytes)`);
} else {
  writeFileSync(target, text);
  console.log(`src/runtime/wasm/binary.ts: ${module.length} bytes`);
}
