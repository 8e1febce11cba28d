/** Where things begin in the memory of machines: at cache lines, so that vectors do not lie across two of them. */

const ALIGNMENT = 64;

/** The first aligned place from this byte on; for a size, what it takes up. */
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
