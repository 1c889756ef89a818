/** Hosts that lead into this machine or its network, as far as their names tell. */
import { BlockList, isIP } from "node:net";

const internal = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const) {
  internal.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 127],
  ["fc00::", 7],
  ["fe80::", 10],
] as const) {
  internal.addSubnet(network, prefix, "ipv6");
}

/** @param hostname of a URL, so numbers are in their normal form and IPv6 has brackets */
export function isInternalHost(hostname: string): boolean {
  const bare = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  const version = isIP(bare);
  if (version === 4) return internal.check(bare, "ipv4");
  if (version === 6) return bare.startsWith("::ffff:") || internal.check(bare, "ipv6");
  return bare === "localhost" || bare.endsWith(".localhost") || bare.endsWith(".internal");
}
