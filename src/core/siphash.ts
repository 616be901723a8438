/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash that systemd draws names and UIDs with. Small and exact
 * rather than fast: a name has at most 255 bytes.
 */

const MASK = (1n << 64n) - 1n;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

/**
 * @param key 16 bytes
 * @param data any bytes
 * @returns the digest, an unsigned 64-bit integer
 */
export function siphash24(key: Uint8Array, data: Uint8Array): bigint {
  if (key.length !== 16) {
    throw new TypeError(`a SipHash key has 16 bytes, not ${key.length}`);
  }
  const keyWords = new DataView(key.buffer, key.byteOffset);
  const k0 = keyWords.getBigUint64(0, true);
  const k1 = keyWords.getBigUint64(8, true);
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;

  const round = () => {
    v0 = (v0 + v1) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & MASK;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & MASK;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const absorb = (word: bigint) => {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };

  // The last word carries the bytes that are left and, in its top byte, the length modulo 256.
  const padded = new Uint8Array(data.length - (data.length % 8) + 8);
  padded.set(data);
  padded[padded.length - 1] = data.length;
  const words = new DataView(padded.buffer);
  for (let offset = 0; offset < padded.length; offset += 8) {
    absorb(words.getBigUint64(offset, true));
  }

  v2 ^= 0xffn;
  round();
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
}
