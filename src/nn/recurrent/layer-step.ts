/** The steps of a layer: those of its cell, with all that is random drawn or prepared before the loop. */

import { foldIn, multiply, range, splitKey } from "../../ops/index.js";
import type { ScanStep } from "../../scan/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import type { Rates } from "../regularization/rates.js";
import {
  type DropoutMasks,
  drawDropout,
  dropInStep,
  type RecurrentDropout,
} from "../regularization/recurrent-dropout.js";
import { drawZoneout, type ZoneoutMasks, zoneout } from "../regularization/zoneout.js";

/** What differs from step to step: the input, and if asked for its number and masks. */
export type StepSlices = {
  readonly x: Tensor;
  readonly number?: Tensor;
  readonly dropout?: DropoutMasks;
  readonly zoneout?: ZoneoutMasks;
};

/** A step for the loop, and the sequences that it is to run over. */
export interface PreparedSteps<Carry extends TensorTree> {
  readonly step: ScanStep<Carry, StepSlices, Tensor>;
  readonly sequences: StepSlices;
}

/** Prepares the steps of one run. Without a key and without zoneout, they are just those of the cell. */
export function prepareSteps<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
  settings: { readonly dropout?: RecurrentDropout; readonly zoneout?: Rates },
  run: {
    readonly params: Params;
    readonly carry: Carry;
    /** `[time, batch, inputSize]` */
    readonly x: Tensor;
    readonly key?: Tensor;
  },
): PreparedSteps<Carry> {
  const [cellKey, dropoutKey, zoneoutKey] = run.key ? splitKey(run.key, 3) : [];
  const time = run.x.shape[0] as number;
  const { dropout: wanted, zoneout: zoneoutRates = 0 } = settings;
  const dropped =
    wanted && dropoutKey ? drawDropout(wanted, dropoutKey, { ...run, outputSize: cell.outputSize }) : undefined;
  const { params, x } = dropped ?? run;
  const stepKey = cell.usesKey ? cellKey : undefined;

  const step: ScanStep<Carry, StepSlices, Tensor> = (before, now) => {
    const plain = (carry: Carry) =>
      stepKey && now.number
        ? cell.step(params, carry, now.x, foldIn(stepKey, now.number))
        : cell.step(params, carry, now.x);
    const masks = now.dropout ?? dropped?.masks ?? {};
    const result = masks.state || masks.carry ? dropInStep(plain, before, masks) : plain(before);
    const [next, y] = zoneoutRates === 0 ? result : zoneout(zoneoutRates, before, result, now.zoneout);
    return [next, masks.output ? multiply(y, masks.output) : y];
  };
  return {
    step,
    sequences: {
      x,
      ...(stepKey && { number: range(time) }),
      ...(dropped && wanted?.perStep && { dropout: dropped.masks }),
      ...(zoneoutKey && zoneoutRates !== 0 && { zoneout: drawZoneout(zoneoutRates, zoneoutKey, run.carry, time) }),
    },
  };
}
