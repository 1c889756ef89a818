/** IP addresses and ranges: for `cidr` in patterns, and for where webhooks may go. Pure. */
import { isIP } from "node:net";

export interface AddressRange {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly prefixLength: number;
}

/** Undefined when the text is no address. An IPv4 address in IPv6 form becomes the IPv4 address. */
export function parseAddress(text: string): { family: 4 | 6; value: bigint } | undefined {
  const family = isIP(text);
  if (family === 4) return { family, value: ipv4(text) };
  if (family !== 6 || text.includes("%")) return undefined;
  const value = ipv6(text);
  // ::ffff:0:0/96
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn };
  return { family: 6, value };
}

function ipv4(text: string): bigint {
  return text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted !== null) {
    const tail = ipv4(dotted[2] ?? "");
    return ipv6(`${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`);
  }
  const [left = "", right] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail].reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}

/** Undefined when the text is no range such as `10.0.0.0/8`. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match === null ? undefined : parseAddress(match[1] ?? "");
  if (match === null || address === undefined) return undefined;
  const prefixLength = Number(match[2]);
  return prefixLength > bits(address.family) ? undefined : { ...address, prefixLength };
}

const bits = (family: 4 | 6) => (family === 4 ? 32 : 128);

export function isInRange(text: string, range: AddressRange): boolean {
  const address = parseAddress(text);
  if (address?.family !== range.family) return false;
  const shift = BigInt(bits(range.family) - range.prefixLength);
  return address.value >> shift === range.value >> shift;
}

/**
 * Everything that is not the public internet: this host, private networks, link-local addresses
 * (where clouds keep the credentials of a machine), shared, multicast, documentation and reserved.
 * https://www.iana.org/assignments/iana-ipv4-special-registry/
 * https://www.iana.org/assignments/iana-ipv6-special-registry/
 */
const privateRanges = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"],
  ...["198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
].map((text) => parseAddressRange(text));
/** In IPv6 only this is public, less the ranges below, which carry IPv4 inside or are special. */
const publicIpv6 = parseAddressRange("2000::/3");
const specialIpv6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map((text) =>
  parseAddressRange(text),
);

/** Also for what is no address. */
export function isPrivateAddress(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return true;
  const isIn = (range: AddressRange | undefined) => range !== undefined && isInRange(text, range);
  if (address.family === 4) return privateRanges.some(isIn);
  return !isIn(publicIpv6) || specialIpv6.some(isIn);
}
