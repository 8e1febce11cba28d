import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Examples import the package by its name, as users do.
  resolve: {
    alias: [
      { find: /^through-time$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) },
      { find: /^through-time\/(\w+)$/, replacement: fileURLToPath(new URL("src/$1/index.ts", import.meta.url)) },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2, // the reference machine has two cores
    testTimeout: 60_000,
    hookTimeout: 120_000, // two of them compile the package
  },
});
