/** What `through-time` is in Node: the same, on native kernels if they are built. */
import "./node/index.js";

export * from "./index.js";
