import { defineConfig } from "vitest/config";

/** Tests with programs that are no dependencies: `npm run test:interop`. */
export default defineConfig({
  test: { include: ["test/interop/*.interop.ts"], pool: "forks", maxWorkers: 1, testTimeout: 600_000 },
});
