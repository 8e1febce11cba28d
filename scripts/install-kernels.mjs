/**
 * Builds the native kernels. As npm's install script: quietly, and without ever failing an install, for WebAssembly serves
 * where they are missing. With --required (`npm run build:native`): visibly, only what changed, and failing where it fails.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv, env, execPath, exit, platform, version } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const log = join("build", "install.log");
const required = argv.includes("--required");
const again = root.includes("node_modules") ? "npm rebuild through-time --foreground-scripts" : "npm run build:native";

/** What an output of node-gyp means, first match. */
const REASONS = [
  [/Could not find any Python/, "node-gyp needs Python"],
  [/not found: make|spawn make ENOENT/, "there is no make"],
  [/make.*Error 127|GetCompilerPredefines/, "there is no C++ compiler"],
  [/make.* Error \d/, "the C++ compiler failed; GCC 12 or Clang 14 is needed, or newer"],
  [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|FetchError|bad response/, "Node's header files could not be fetched"],
];

/** The folder of Node's header files where they came along with this Node, so that nothing has to be fetched. */
function headers() {
  const prefix = dirname(dirname(execPath));
  try {
    const text = readFileSync(join(prefix, "include", "node", "node_version.h"), "utf8");
    const part = (name) => text.match(new RegExp(`#define NODE_${name}_VERSION (\\d+)`))?.[1];
    return `v${part("MAJOR")}.${part("MINOR")}.${part("PATCH")}` === version ? [`--nodedir=${prefix}`] : [];
  } catch {
    return [];
  }
}

/** Runs the node-gyp that npm brings. */
function nodeGyp(...commands) {
  const options = { cwd: root, encoding: "utf8", stdio: required ? "inherit" : "pipe", maxBuffer: 1 << 28 };
  const args = [...commands, "--jobs=max", ...headers()];
  const script = env.npm_config_node_gyp;
  return script !== undefined && existsSync(script)
    ? spawnSync(execPath, [script, ...args], options)
    : spawnSync("node-gyp", args, options);
}

/** Builds; returns why it could not, if it could not. */
function build() {
  // Vector extensions of GCC and Clang are what the kernels are written in.
  if (platform === "win32") return "on Windows there is no build of them yet";
  const { status, error, stdout, stderr } = required ? nodeGyp("configure", "build") : nodeGyp("rebuild");
  if (error !== undefined) return "there is no node-gyp; npm brings it, so run this through npm";
  const output = `${stdout ?? ""}${stderr ?? ""}`;
  if (!required) {
    mkdirSync(join(root, "build"), { recursive: true });
    writeFileSync(join(root, log), output);
  }
  if (status === 0) return undefined;
  return REASONS.find(([pattern]) => pattern.test(output))?.[1] ?? "node-gyp failed";
}

/** Leaves behind why there is no addon, for `through-time doctor`; nothing if there is one. */
function remember(reason) {
  const file = join(root, "build", "not-built.txt");
  rmSync(file, { force: true });
  if (reason === undefined || existsSync(join(root, "build", "Release", "through_time_kernels.node"))) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, reason);
}

if (!required && env.THROUGH_TIME_SKIP_NATIVE === "1") {
  remember("skipped when the package was installed (THROUGH_TIME_SKIP_NATIVE=1)");
  console.log("through-time: native kernels skipped (THROUGH_TIME_SKIP_NATIVE=1); WebAssembly serves");
  exit(0);
}
const reason = build();
remember(reason);
if (reason !== undefined) {
  const details = existsSync(join(root, log)) ? ` (${log})` : "";
  if (required) console.error(`through-time: the native kernels were not built: ${reason}`);
  else {
    console.log(
      `through-time: native kernels not built: ${reason}${details}; WebAssembly serves. To try again: ${again}`,
    );
  }
}
exit(required && reason !== undefined ? 1 : 0);
