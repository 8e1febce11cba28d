/** The arena never gives out a region twice, and gives memory back to be used again. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { Arena } from "./arena.js";

test("regions in use never overlap, are aligned, and lie inside the arena", () => {
  const steps = fc.array(fc.record({ take: fc.boolean(), number: fc.nat({ max: 400 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const arena = new Arena();
      const live: { offset: number; bytes: number }[] = [];
      let most = 0;
      for (const { take, number } of all) {
        if (take || live.length === 0) {
          const offset = arena.take(number);
          expect(offset % 64).toBe(0);
          expect(offset + number).toBeLessThanOrEqual(arena.size);
          for (const other of live) {
            const apart =
              offset + Math.max(number, 1) <= other.offset || other.offset + Math.max(other.bytes, 1) <= offset;
            expect(apart).toBe(true);
          }
          live.push({ offset, bytes: number });
        } else {
          const [gone] = live.splice(number % live.length, 1);
          arena.give(gone?.offset as number);
        }
        most = Math.max(
          most,
          live.reduce((sum, { bytes }) => sum + Math.max(Math.ceil(bytes / 64), 1) * 64, 0),
        );
      }
      expect(arena.size).toBeGreaterThanOrEqual(most);
    }),
    { numRuns: 300 },
  );
});

test("memory that was given back is used again, neighbours joined", () => {
  const arena = new Arena();
  const [a, b, c] = [arena.take(100), arena.take(64), arena.take(8)];
  expect([a, b, c, arena.size]).toEqual([0, 128, 192, 256]);
  arena.give(a);
  arena.give(b);
  expect(arena.take(192)).toBe(0);
  arena.give(c);
  expect(arena.take(128)).toBe(192);
  expect(arena.size).toBe(320);
});
