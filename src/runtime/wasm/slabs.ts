/**
 * Memory for Plans. Engines can have only so many WebAssembly memories (about a hundred in a page), for each of them takes a large range of
 * addresses, so small Plans lie one after another in a shared one. It is freed when none of its Plans is left.
 */

import { aligned } from "../machine/alignment.js";
import { instantiateWasm, type WasmInstance } from "./module.js";

const SLAB_BYTES = 16 * 2 ** 20;
/** Plans that need more have memory of their own. */
const LARGEST_SHARED = 2 ** 20;

const slabs = new WeakMap<WebAssembly.Module, { readonly instance: WasmInstance; used: number }>();

/**
 * An instance, and as its start the first of at least `bytes` bytes of zeros that nobody else uses.
 * @throws MemoryError if there is not so much
 */
export function wasmRegion(module: WebAssembly.Module, bytes: number): WasmInstance {
  if (bytes > LARGEST_SHARED) return instantiateWasm(module, bytes);
  const size = aligned(bytes);
  let slab = slabs.get(module);
  if (slab === undefined || slab.used + size > SLAB_BYTES) {
    slab = { instance: instantiateWasm(module, SLAB_BYTES), used: 0 };
    slabs.set(module, slab);
  }
  const { instance, used } = slab;
  slab.used += size;
  return { ...instance, start: instance.start + used };
}
