/** The layer check (`npm run layers`): imports in src/ go one way, through front doors, without cycles. */

/** The folders of src/, lowest first: a folder may import only from folders to its left and above it. */
const folders = [
  ...["core", "tensor", "program", "ops", "transforms", "scan", "compile", "runtime", "nn", "learn"],
  ...["reservoir", "memory", "structure", "unsupervised", "data", "io", "streaming", "plots", "train", "tasks"],
  ...["experiments", "node", "cli"],
];

/** Everything before these runs in a browser. */
const nodeFolders = ["node", "cli"];
/** Up to and including this folder there is no npm dependency at run time. */
const lastPureFolder = "learn";

const inside = (names) => `^src/(${names.join("|")})/`;
const test = "\\.test\\.ts$";
const frontDoor = "^src/[^/]+/index\\.ts$";
const pureFolders = folders.slice(0, folders.indexOf(lastPureFolder) + 1);
const npm = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-bundled", "npm-no-pkg", "npm-unknown"];

const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** One rule per folder: nothing in it imports from a folder that comes later in the list. */
const upwardRules = folders
  .slice(0, -1)
  .map((folder, index) =>
    forbid(
      `${folder}-imports-upward`,
      `src/${folder}/ may import only from: ${["itself", ...folders.slice(0, index)].join(", ")}.`,
      { path: inside([folder]), pathNot: test },
      { path: inside(folders.slice(index + 1)) },
    ),
  );

const rules = [
  forbid(
    "folder-not-in-the-list",
    "Give every folder of src/ its place in the list at the top of .dependency-cruiser.mjs.",
    { path: "^src/[^/]+/", pathNot: inside(folders) },
    {},
  ),
  forbid(
    "past-the-front-door",
    "Import another folder through its index.ts, not its insides.",
    { path: "^src/([^/]+)/", pathNot: test },
    { path: "^src/[^/]+/", pathNot: ["^src/$1/", frontDoor] },
  ),
  forbid(
    "package-index-past-the-front-door",
    "src/index.ts re-exports folders through their index.ts. (src/index.node.ts wants of src/node/ only that it brings kernels.)",
    { path: "^src/[^/]+$", pathNot: test },
    { path: "^src/[^/]+/", pathNot: [frontDoor, "^src/node/kernels\\.ts$"] },
  ),
  forbid(
    "package-index-imports-node",
    "src/index.ts is what browsers import: nothing from src/node/ or src/cli/. (src/index.node.ts is for Node.)",
    { path: "^src/[^/]+$", pathNot: [test, "^src/index\\.node\\.ts$"] },
    { path: inside(nodeFolders) },
  ),
  forbid(
    "imports-the-package-index",
    "src/index.ts is for users; inside the package import the folder you need.",
    { path: "^src/[^/]+/", pathNot: test },
    { path: "^src/index\\.ts$" },
  ),
  forbid("cycle", "No import cycles. Move what both sides need into a lower file or folder.", {}, { circular: true }),
  forbid(
    "node-import-in-browser-code",
    "Node modules may be imported only in src/node/ and src/cli/; everything else also runs in a browser.",
    { path: "^src/", pathNot: [inside(nodeFolders), test] },
    { dependencyTypes: ["core"] },
  ),
  forbid(
    "npm-dependency-in-the-core",
    `src/core/ to src/${lastPureFolder}/ have no runtime dependency.`,
    { path: inside(pureFolders), pathNot: test },
    { dependencyTypes: npm },
  ),
  forbid(
    "development-dependency-in-published-code",
    "Published code may import only what package.json lists under dependencies.",
    { path: "^src/", pathNot: test },
    { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
  ),
  forbid(
    "imports-a-test",
    "Nothing imports a test file; shared cases live in test/.",
    { pathNot: test },
    { path: test },
  ),
  forbid("unresolvable", "This import leads nowhere.", {}, { couldNotResolve: true }),
];

export default {
  forbidden: [...upwardRules, ...rules],
  options: {
    tsPreCompilationDeps: true, // type-only imports count, too
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
