/** Where webhooks may go. */
import { describe, expect, test } from "bun:test";
import { isInRange, isPrivateAddress, parseAddressRange } from "./address-range.ts";
import { webhookPolicy } from "./webhook-policy.ts";

describe("a private address", () => {
  for (const address of [
    ...["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0"],
    ...["100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254"],
    ...["::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1"],
    ...["ff02::1", "no address", ""],
  ]) {
    test(address, () => expect(isPrivateAddress(address)).toBe(true));
  }
  for (const address of ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]) {
    test(`is not ${address}`, () => expect(isPrivateAddress(address)).toBe(false));
  }
});

test("ranges are of one family", () => {
  const range = parseAddressRange("2001:db8::/32");
  if (range === undefined) throw new Error("it is a range");
  expect(isInRange("2001:db8:ffff::1", range)).toBe(true);
  expect(isInRange("2001:db9::1", range)).toBe(false);
  expect(isInRange("32.1.13.184", range)).toBe(false);
  expect(parseAddressRange("2001:db8::/129")).toBeUndefined();
});

describe("an endpoint", () => {
  const { checkEndpoint, mayConnect } = webhookPolicy(["hooks.internal", "127.0.0.1:9000"]);
  for (const url of [
    ...["http://example.com/", "https://10.0.0.1/", "https://[::1]/", "https://localhost/x"],
    ...["https://user:secret@example.com/", "ftp://example.com/", "nonsense", "https://0x7f.1/"],
    ...["http://127.0.0.1:9001/", "https://2130706433/", "https://example.com/#part"],
  ]) {
    test(`is refused: ${url}`, () => expect(() => checkEndpoint(url)).toThrow());
  }
  for (const url of [
    ...["https://example.com/hook", "http://hooks.internal/a", "http://127.0.0.1:9000/a"],
    "https://1.1.1.1/",
  ]) {
    test(`is accepted: ${url}`, () => checkEndpoint(url));
  }

  test("is judged again by the address that its name has", () => {
    expect(mayConnect(new URL("https://example.com/"), "93.184.216.34")).toBe(true);
    expect(mayConnect(new URL("https://example.com/"), "169.254.169.254")).toBe(false);
    expect(mayConnect(new URL("https://hooks.internal/"), "10.0.0.7")).toBe(true);
  });
});
