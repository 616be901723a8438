/** The checksum of IEEE 802.3, which gzip(1) has too: that of zlib, which is not in every version of Node 20, or our own. */
import zlib from 'node:zlib';

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb8_8320;
  }
  return value;
});

const native = (zlib as { readonly crc32?: (bytes: Uint8Array) => number }).crc32;

/** @returns 0 … 2^32−1 */
export const crc32: (bytes: Uint8Array) => number = native ?? slowCrc32;

export function slowCrc32(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (let index = 0; index < bytes.length; index++) {
    value = (TABLE[(value ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (value >>> 8);
  }
  return (value ^ 0xffff_ffff) >>> 0;
}
