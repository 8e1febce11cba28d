/** The executable of `npm run bench`. */

import { runBenchmark } from "./run.js";

process.exitCode = await runBenchmark(process.argv.slice(2));
