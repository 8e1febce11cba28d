/** Loads a package from the folder of peers, which is the first argument of each of their scripts. */

import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const require = createRequire(join(folder, "package.json"));

/** A package in CommonJS. */
export const load = (name) => require(name);

/** A package in ES modules, by the path of its entry. */
export const importFrom = (path) => import(pathToFileURL(join(folder, "node_modules", path)));

/** The folder of a package's entry, with a slash at its end. */
export const folderOf = (name) => join(dirname(require.resolve(name)), "/");
