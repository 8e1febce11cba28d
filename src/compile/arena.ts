/** Lays out memory before the run: best fit, with regions given back as soon as their last reader is done. */

/** Regions start at multiples of this many bytes, so that vector loads are aligned. */
const ALIGNMENT = 64;

interface Region {
  readonly offset: number;
  readonly bytes: number;
}

/** Gives out regions of one block of memory whose size is the most that was ever in use. */
export class Arena {
  private free: Region[] = [];
  private end = 0;
  private readonly taken = new Map<number, number>();

  /** Bytes that the whole layout needs. */
  get size(): number {
    return this.end;
  }

  /** Takes a region and returns its offset. */
  take(bytes: number): number {
    const rounded = Math.max(Math.ceil(bytes / ALIGNMENT), 1) * ALIGNMENT;
    const fits = this.free.filter((region) => region.bytes >= rounded);
    const best = fits.reduce<Region | undefined>((a, b) => (a !== undefined && a.bytes <= b.bytes ? a : b), undefined);
    if (best !== undefined) {
      const { offset, bytes: found } = best;
      const fit = this.free.indexOf(best);
      const rest = found > rounded ? [{ offset: offset + rounded, bytes: found - rounded }] : [];
      this.free.splice(fit, 1, ...rest);
      this.taken.set(offset, rounded);
      return offset;
    }
    const last = this.free.at(-1);
    const offset = last && last.offset + last.bytes === this.end ? last.offset : this.end;
    if (offset !== this.end) this.free.pop();
    this.end = offset + rounded;
    this.taken.set(offset, rounded);
    return offset;
  }

  /** Gives a region back. */
  give(offset: number): void {
    const bytes = this.taken.get(offset) as number;
    this.taken.delete(offset);
    const merged: Region[] = [];
    for (const region of [...this.free, { offset, bytes }].sort((a, b) => a.offset - b.offset)) {
      const last = merged.at(-1);
      if (last && last.offset + last.bytes === region.offset) {
        merged[merged.length - 1] = { offset: last.offset, bytes: last.bytes + region.bytes };
      } else {
        merged.push(region);
      }
    }
    this.free = merged;
  }
}
