import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("crc32", () => {
  it("gives the published check value", () => {
    expect(crc32(encode("123456789"))).toBe(0xcbf43926);
  });

  it("is 0 for nothing", () => {
    expect(crc32(encode(""))).toBe(0);
  });

  it("goes on from a part", () => {
    expect(crc32(encode("6789"), crc32(encode("12345")))).toBe(0xcbf43926);
  });
});
