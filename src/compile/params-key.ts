/** Parameters of equations as text, to tell equal ones. */

/** Parameters as text that is equal only for equal parameters: JSON alone writes null for NaN and infinities, 0 for -0. */
export const paramsKey = (params: unknown): string =>
  params === null
    ? "null"
    : JSON.stringify(params, (_, value) =>
        typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
          ? { number: Object.is(value, -0) ? "-0" : String(value) }
          : value,
      );
