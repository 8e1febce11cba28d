/** The competitors: what each is called, and how it is found and started. Installing them is told in README.md. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** How to start a competitor, or why it cannot be started. */
export type Found = { readonly command: readonly string[] } | { readonly missing: string };

/** A competitor. */
export interface Peer {
  readonly name: string;
  /** Looks for it in the folder of peers and in the system. */
  find(folder: string): Found;
}

/** Where peers are installed. */
export const peersFolder = (): string =>
  process.env.THROUGH_TIME_PEERS ?? join(homedir(), ".cache", "through-time-peers");

/** The peers' scripts are not compiled: they lie beside the sources. */
const script = (name: string): string => fileURLToPath(new URL(`../peers/${name}`, import.meta.url));

/** Debian's own, whatever else may come first in the path. */
export const SYSTEM_PYTHON = "/usr/bin/python3";

const environment = (name: string, venv: string, source: string): Peer => ({
  name,
  find: (folder) => {
    const python = join(folder, "venv", venv, "bin", "python");
    return existsSync(python)
      ? { command: [python, script(source)] }
      : { missing: `there is no venv/${venv} in ${folder}` };
  },
});

const npmPackage = (name: string, packageName: string, source: string, ...args: string[]): Peer => ({
  name,
  find: (folder) =>
    existsSync(join(folder, "node_modules", packageName, "package.json"))
      ? { command: [process.execPath, script(source), folder, ...args] }
      : { missing: `there is no npm package ${packageName} in ${folder}` },
});

const debianPytorch: Peer = {
  name: "pytorch",
  find: () => {
    const search = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)";
    const { status } = spawnSync(SYSTEM_PYTHON, ["-c", search], { stdio: "ignore" });
    return status === 0
      ? { command: [SYSTEM_PYTHON, script("pytorch.py")] }
      : { missing: "the system's Python has no torch (package python3-torch)" };
  },
};

const onednn: Peer = {
  name: "onednn",
  find: (folder) => {
    const [source, program] = [script("onednn.cpp"), join(folder, "onednn")];
    if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return { command: [program] };
    mkdirSync(folder, { recursive: true });
    const fresh = `${program}.new`;
    const { status } = spawnSync("g++", ["-O2", "-std=c++17", source, "-o", fresh, "-ldnnl"], { stdio: "ignore" });
    if (status !== 0) return { missing: `g++ cannot compile it into ${folder} (packages g++ and libdnnl-dev)` };
    renameSync(fresh, program);
    return { command: [program] };
  },
};

/** Our own WebAssembly kernels without relaxed SIMD, whatever kernels are measured. */
const simd128: Peer = {
  name: "simd128",
  find: () => {
    const ours = fileURLToPath(new URL("ours.js", import.meta.url));
    return { command: ["env", "THROUGH_TIME_WASM=simd128", process.execPath, ours, "wasm"] };
  },
};

/** All competitors, in the order of the tables. */
export const PEERS: readonly Peer[] = [
  debianPytorch,
  environment("pytorch2", "torch2", "pytorch.py"),
  environment("jax", "jax", "jax_scan.py"),
  onednn,
  npmPackage("tfjs", "@tensorflow/tfjs-backend-wasm", "tfjs.mjs", "wasm"),
  npmPackage("tfjs-cpu", "@tensorflow/tfjs", "tfjs.mjs", "cpu"),
  npmPackage("jaxjs", "@jax-js/jax", "jaxjs.mjs"),
  npmPackage("ort", "onnxruntime-node", "ort.mjs"),
  npmPackage("brainjs", "brain.js", "brain.mjs"),
  simd128,
];

export const PEER_NAMES: readonly string[] = PEERS.map(({ name }) => name);
