/** @module The things people come for. */
export * from "./language-model/index.js";
