import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpAddress, parseIpNetwork } from "./ip-network.ts";

function contains(network: string, address: string): boolean | undefined {
  const parsed = parseIpAddress(address);
  return parsed && parseIpNetwork(network)?.contains(parsed);
}

test("networks of both families", () => {
  const cases: [string, string, boolean][] = [
    ["203.0.113.0/24", "203.0.113.255", true],
    ["203.0.113.0/24", "203.0.114.0", false],
    // Bits behind the prefix do not count.
    ["203.0.113.77/24", "203.0.113.1", true],
    ["203.0.113.1", "203.0.113.1", true],
    ["203.0.113.1", "203.0.113.2", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "127.0.0.1", false],
    ["::/0", "2001:db8::1", true],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["2001:DB8::1", "2001:db8:0:0:0:0:0:1", true],
    ["fe80::/10", "febf::1", true],
    ["fe80::/10", "fec0::1", false],
    // What a dual-stack socket calls an IPv4 peer.
    ["127.0.0.0/8", "::ffff:127.0.0.1", true],
    ["::ffff:127.0.0.0/104", "127.1.2.3", true],
    ["10.0.0.0/8", "::ffff:0a01:0203", true],
  ];
  for (const [network, address, expected] of cases) {
    expect({ network, address, contains: contains(network, address) }).toEqual({
      network,
      address,
      contains: expected,
    });
  }
});

test("what is no network", () => {
  for (const text of [
    "",
    "203.0.113",
    "203.0.113.256",
    "203.0.113.01",
    "203.0.113.0/33",
    "203.0.113.0/-1",
    "203.0.113.0/",
    "203.0.113.0/24/24",
    "203.0.113.*",
    "2001:db8::/129",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    ":1",
    "g::",
    "::ffff:1.2.3.4/95",
  ]) {
    expect({ text, network: parseIpNetwork(text) }).toEqual({ text, network: undefined });
  }
});

test("every address is in its own network of every size", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
        fc.tuple(fc.ipV6(), fc.integer({ min: 96, max: 128 })),
      ),
      ([address, prefix]) => expect(contains(`${address}/${prefix}`, address)).toBe(true),
    ),
  );
});
