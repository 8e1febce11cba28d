/** CRC-32 as in zip and PNG: finds every error burst of up to 32 bits, so every damaged byte. */

const POLYNOMIAL = 0xedb88320;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  return remainder;
});

/**
 * The CRC-32 of `bytes`.
 * @param start the CRC-32 of the bytes before them: `crc32(b, crc32(a))` is that of `a` followed by `b`. Default 0
 * @returns an integer in [0, 2^32)
 */
export function crc32(bytes: Uint8Array, start = 0): number {
  let remainder = ~start;
  for (let index = 0; index < bytes.length; index++) {
    remainder = TABLE[(remainder ^ (bytes[index] as number)) & 0xff]! ^ (remainder >>> 8);
  }
  return ~remainder >>> 0;
}
