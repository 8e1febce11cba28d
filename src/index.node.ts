/** What `through-time` is in Node: the same, on native kernels if they are built. */
import "./node/kernels.js";

export * from "./index.js";
