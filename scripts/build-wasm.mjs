/**
 * Compiles kernels/wasm.cpp to WebAssembly, with relaxed SIMD and without, and writes both, as text, to src/runtime/wasm/binary.ts, which is
 * committed: so neither users nor bundlers need a compiler or a file to fetch. The compiler is Clang, itself in WebAssembly, from npm: the same
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

/** Names of the modules in the file, and the flags by which they differ. */
const MODULES = { WASM_SIMD128: [], WASM_RELAXED_SIMD: ["-mrelaxed-simd"] };

const target = new URL("../src/runtime/wasm/binary.ts", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** SHA-256 of the sources, the flags and the compiler's version. */
const wasmSourceHash = () => sourceHash("wasm", FLAGS, MODULES, manifest.devDependencies["@yowasp/clang"]);

/** Compiles. @returns {Promise<Uint8Array>} the module */
async function compile({ commands }, flags) {
  const messages = [];
  const stderr = (bytes) => bytes === null || messages.push(Buffer.from(bytes));
  const sources = Object.fromEntries(kernelSources("wasm"));
  try {
    const files = await commands["clang++"]([...FLAGS, ...flags, "wasm.cpp", "-o", "kernels.wasm"], sources, {
      stderr,
    });
    return files["kernels.wasm"];
  } catch (error) {
    if (messages.length === 0) throw error;
    console.error(`${Buffer.concat(messages)}kernels/wasm.cpp could not be compiled`);
    return exit(1);
  }
}

/** The TypeScript file that holds the modules. */
function fileOf(modules, sources) {
  const constants = Object.entries(modules).map(
    ([name, module]) => `export const ${name} =\n  "${Buffer.from(module).toString("base64")}";\n`,
  );
  return `/** The kernels as WebAssembly modules, in base64. Made by \`npm run build:wasm\`; do not edit. */

/** SHA-256 of the sources, the flags and the version of the compiler that they were made with. */
export const WASM_SOURCES = "${sources}";

${constants.join("\n")}`;
}

const sources = wasmSourceHash();
if (argv.includes("--hash")) {
  console.log(sources);
  exit(0);
}
const compiler = await import("@yowasp/clang");
await compiler.runLLVM(undefined, {}, { fetchProgress: () => {} }); // reads the compiler, without telling so
const modules = {};
for (const [name, flags] of Object.entries(MODULES)) modules[name] = await compile(compiler, flags);
const text = fileOf(modules, sources);
const sizes = Object.values(modules)
  .map(({ length }) => `${length} bytes`)
  .join(" and ");
if (argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("src/runtime/wasm/binary.ts is not what the kernels' sources give; run: npm run build:wasm");
    exit(1);
  }
  console.log(`src/runtime/wasm/binary.ts is what the kernels' sources give (${sizes})`);
} else {
  writeFileSync(target, text);
  console.log(`src/runtime/wasm/binary.ts: ${sizes}`);
}
