/**
 * Tests the kernels' C++ as such: compiles each kernels/test/*-test.cpp under the address and undefined-behaviour
 * sanitizers, once for each instruction set of this processor, and runs it. Then looks whether the libraries of the addon keep
 * apart. Arguments choose files by a part of their names.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arch, argv, env, exit } from "node:process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../kernels/", import.meta.url));
const compiler = env.CXX ?? "g++";

/** As in binding.gyp; `check` is what the processor must have. */
const X64 = [
  { name: "generic", width: 4, flags: [], check: "1" },
  { name: "avx2", width: 8, flags: ["-mavx2", "-mfma"], check: '__builtin_cpu_supports("avx2")' },
  {
    name: "avx512",
    width: 16,
    flags: ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"],
    check: '__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")',
  },
];
const VARIANTS = arch === "x64" ? X64 : [{ ...X64[0], name: arch === "arm64" ? "neon" : "generic" }];
const STRICT = ["-std=c++17", "-Wall", "-Wextra", "-fno-exceptions", "-fno-rtti"];
const SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-pthread"];

const call = (command, args) => spawnSync(command, args, { cwd: folder, encoding: "utf8" });

if (call(compiler, ["--version"]).status !== 0) {
  console.log(`kernel tests skipped: there is no C++ compiler ${compiler} (CXX names another)`);
  exit(0);
}
const scratch = mkdtempSync(join(tmpdir(), "through-time-kernels-"));
let failed = 0;

const report = (name, { status, signal, stdout, stderr }, started) => {
  const fine = status === 0;
  if (!fine) failed += 1;
  console.log(`${fine ? "ok  " : "FAIL"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!fine) console.log(`${stdout}${stderr}${signal === null ? "" : `ended by ${signal}\n`}`);
  return fine;
};

/** Whether this processor, and this compiler, have the instruction set. */
function isHere({ check }) {
  const [source, program] = [join(scratch, "check.cpp"), join(scratch, "check")];
  writeFileSync(source, `int main() { return (${check}) ? 0 : 1; }`);
  return call(compiler, [source, "-o", program]).status === 0 && call(program, []).status === 0;
}

function runTest(file, { name, width, flags }) {
  const started = performance.now();
  const [title, program] = [`${file} ${name}`, join(scratch, `${file}-${name}`)];
  const defines = [`-DTT_VARIANT=${name}`, `-DTT_WIDTH=${width}`];
  const compiled = call(compiler, [...STRICT, ...SANITIZED, ...flags, ...defines, join("test", file), "-o", program]);
  if (compiled.status !== 0) report(title, compiled, started);
  else report(title, call(program, []), started);
}

/**
 * Code of one instruction set must never be linked into another: a function outside the variant's namespace that the linker may
 * merge (a weak symbol) would crash on processors that lack the instructions.
 */
function checkSymbols({ name, width, flags }) {
  const started = performance.now();
  const object = join(scratch, `${name}.o`);
  const defines = [`-DTT_VARIANT=${name}`, `-DTT_WIDTH=${width}`];
  const compiled = call(compiler, [...STRICT, "-O3", ...flags, ...defines, "-c", "variant.cpp", "-o", object]);
  if (!report(`variant.cpp ${name}`, compiled, started)) return;
  const { stdout, error } = call("nm", ["-C", object]);
  if (error !== undefined) return;
  const shared = stdout.split("\n").filter((line) => / [WVu] /.test(line) && !line.includes(`tt::${name}::`));
  if (shared.length === 0) return;
  failed += 1;
  console.log(`FAIL variant.cpp ${name} shares functions with other instruction sets:\n${shared.join("\n")}`);
}

try {
  const wanted = argv.slice(2);
  const files = readdirSync(join(folder, "test"))
    .filter((file) => file.endsWith("-test.cpp") && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
    .sort();
  for (const variant of VARIANTS.filter(isHere)) for (const file of files) runTest(file, variant);
  if (wanted.length === 0) for (const variant of VARIANTS) checkSymbols(variant);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
exit(failed === 0 ? 0 : 1);
