/** Addresses and networks of IPv4 and IPv6, as numbers: `203.0.113.0/24`, `2001:db8::/32`. */

export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

const ipv4Mapped = 0xffff_0000_0000n;

/** An IPv4 address in IPv6 form, `::ffff:192.0.2.1`, is that IPv4 address. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return { family: 4, bits: ipv4 };
  const ipv6 = parseIpv6(text);
  if (ipv6 === undefined) return undefined;
  return ipv6 >> 32n === ipv4Mapped >> 32n
    ? { family: 4, bits: ipv6 & 0xffff_ffffn }
    : { family: 6, bits: ipv6 };
}

export interface IpNetwork {
  contains(address: IpAddress): boolean;
}

/** A network, or an address for itself. Bits behind the prefix do not count, as with AWS. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  if (rest.length > 0) return undefined;
  const address = parseIpAddress(addressText);
  if (address === undefined) return undefined;
  const width = address.family === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^(?:0|[1-9][0-9]{0,2})$/.test(prefixText)) return undefined;
  let prefix = prefixText === undefined ? width : Number(prefixText);
  // `::ffff:192.0.2.0/120` counts the bits of the IPv6 form.
  if (prefixText !== undefined && address.family === 4 && addressText.includes(":")) prefix -= 96;
  if (prefix < 0 || prefix > width) return undefined;
  const ignored = BigInt(width - prefix);
  const network = address.bits >> ignored;
  return {
    contains: ({ family, bits }) => family === address.family && bits >> ignored === network,
  };
}

function parseIpv4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let bits = 0n;
  for (const octet of match.slice(1)) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith("0"))) return undefined;
    bits = (bits << 8n) | BigInt(octet);
  }
  return bits;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (text.length > 45 || halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? join(head) : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  const zeros = Array<number>(8 - head.length - tail.length).fill(0);
  return join([...head, ...zeros, ...tail]);
}

/** Groups of 16 bits; the last may be an IPv4 address. */
function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(Number(ipv4 >> 16n), Number(ipv4 & 0xffffn));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function join(groups: readonly number[]): bigint {
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}
