/** The native kernels against the reference, on each instruction set of this processor. */

import { test } from "vitest";
import { runKernelCases } from "../../../test/contracts/kernels.cases.js";
import { nativeAddon } from "../../node/native-addon.js";
import { nativeKernels } from "./kernels.js";

const loaded = nativeAddon();

if ("addon" in loaded) {
  const { addon } = loaded;
  for (const variant of addon.variants()) {
    if (variant.supported) runKernelCases({ name: `native/${variant.name}`, kernels: nativeKernels(addon, variant) });
    else test.skip(`native/${variant.name}: this processor does not have it`, () => {});
  }
} else {
  test.skip(`the native kernels: ${loaded.reason}`, () => {});
}
