// Bytes, hexadecimal and the number forms of the chain's encodings.

export function toHex(bytes) {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function fromHex(text) {
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) throw new Error('not hexadecimal');
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = parseInt(text.substr(2 * at, 2), 16);
  return bytes;
}

export function concat(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export const reversed = (bytes) => Uint8Array.from(bytes).reverse();

export const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

export const utf8 = (text) => new TextEncoder().encode(text);

// An unsigned number in so many bytes, lowest first.
export function le(number, count) {
  const bytes = new Uint8Array(count);
  let rest = BigInt.asUintN(8 * count, BigInt(number));
  for (let at = 0; at < count; at += 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

// 32 bytes, highest first.
export const be32 = (number) => reversed(le(number, 32));

export const toBigInt = (bytes) => (bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`));

// A length before a list: 1, 3, 5 or 9 bytes.
export function compactSize(number) {
  if (number < 0xfd) return le(number, 1);
  if (number <= 0xffff) return concat([0xfd], le(number, 2));
  if (number <= 0xffffffff) return concat([0xfe], le(number, 4));
  return concat([0xff], le(number, 8));
}

export const withLength = (bytes) => concat(compactSize(bytes.length), bytes);

// Hashes are shown with their bytes in reverse, zeros first.
export const hashText = (bytes) => toHex(reversed(bytes));
export const hashBytes = (text) => reversed(fromHex(text));
