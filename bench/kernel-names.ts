/** The sets of kernels by the names that people type. */

export const KERNEL_NAMES = ["native", "wasm", "reference"] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

/** What is measured when nobody asks for other kernels. */
export const DEFAULT_KERNELS: KernelName = "native";
