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
  const k0 = littleEndian(key, 0, 8);
  const k1 = littleEndian(key, 8, 8);
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

  const whole = data.length - (data.length % 8);
  for (let offset = 0; offset < whole; offset += 8) {
    absorb(littleEndian(data, offset, 8));
  }
  // The last word carries the bytes that are left and, in its top byte, the length modulo 256.
  absorb(littleEndian(data, whole, data.length - whole) | (BigInt(data.length & 0xff) << 56n));

  v2 ^= 0xffn;
  round();
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
}

function littleEndian(bytes: Uint8Array, offset: number, length: number): bigint {
  let word = 0n;
  for (let index = length - 1; index >= 0; index--) {
    word = (word << 8n) | BigInt(bytes[offset + index] ?? 0);
  }
  return word;
}
