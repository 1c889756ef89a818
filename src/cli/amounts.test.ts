import { expect, test } from "bun:test";
import { formatByteCount, formatElapsed } from "./amounts.ts";

test("bytes", () => {
  const texts = [0, 1023, 1024, 1_500_000, 1024 ** 4, 5000 * 1024 ** 4].map(formatByteCount);
  expect(texts).toEqual(["0 B", "1023 B", "1.0 KiB", "1.4 MiB", "1.0 TiB", "5000.0 TiB"]);
});

test("times", () => {
  const texts = [0, 999.4, 1000, 59_900, 200_000].map(formatElapsed);
  expect(texts).toEqual(["0 ms", "999 ms", "1.0 s", "59.9 s", "3 min 20 s"]);
});
