import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type ByteRange, entityTag, isNotModified, requestedRanges } from "./conditional.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const digest = "sha256:d1";
const request = (headers: Record<string, string>) =>
  new Request("http://registry.test/", { headers });
const ranges = (range: string, size: number, headers: Record<string, string> = {}) =>
  requestedRanges(request({ range, ...headers }), digest, size);

describe("If-None-Match", () => {
  test.each([
    ['"sha256:d1"', true],
    ['W/"sha256:d1"', true],
    ['"other", "sha256:d1"', true],
    ['"other" ,W/"sha256:d1" ', true],
    ["*", true],
    [" * ", true],
    ['"sha256:d2"', false],
    ["sha256:d1", false],
    ["", false],
    ['"sha256:d1', false],
  ])("%s has it: %p", (header, expected) => {
    expect(isNotModified(request({ "if-none-match": header }), digest)).toBe(expected);
  });

  test("absent is never not modified", () => {
    expect(isNotModified(request({}), digest)).toBe(false);
  });
});

describe("Range", () => {
  test("absent is the whole", () => {
    expect(requestedRanges(request({}), digest, 10)).toBe("whole");
  });

  test.each([
    ["bytes=0-9", [{ start: 0, end: 9 }]],
    ["bytes=2-3", [{ start: 2, end: 3 }]],
    ["bytes=5-", [{ start: 5, end: 9 }]],
    ["bytes=-3", [{ start: 7, end: 9 }]],
    ["bytes=-100", [{ start: 0, end: 9 }]],
    ["bytes=8-100", [{ start: 8, end: 9 }]],
    ["bytes=0-0", [{ start: 0, end: 0 }]],
    [
      "bytes=0-1, 4-5",
      [
        { start: 0, end: 1 },
        { start: 4, end: 5 },
      ],
    ],
    ["bytes=0-3,2-5", [{ start: 0, end: 5 }]],
    ["bytes=0-3,4-5", [{ start: 0, end: 5 }]],
    [
      "bytes=4-5,0-1",
      [
        { start: 4, end: 5 },
        { start: 0, end: 1 },
      ],
    ],
    ["bytes=0-1,50-60", [{ start: 0, end: 1 }]],
    [" bytes=0-1 ", [{ start: 0, end: 1 }]],
  ])("%s of ten bytes", (header, expected) => {
    expect(ranges(header, 10)).toEqual(expected);
  });

  test.each(["bytes=10-", "bytes=10-20", "bytes=5-0", "bytes=-0", "bytes=50-60,70-"])(
    "%s of ten bytes cannot be satisfied",
    (header) => {
      expect(ranges(header, 10)).toBe("unsatisfiable");
    },
  );

  test.each([
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=1",
    "bytes=0-1,",
    "bytes=0-1;2-3",
    "bytes=+1-2",
    "bytes=1 - 2",
    "bytes=0x1-2",
    "bytes=1e1-",
    "bytes=--1",
    "items=0-1",
    "Bytes 0-1",
    `bytes=0-${"9".repeat(400)}`,
    `bytes=0-1${",2-3".repeat(256)}`,
  ])("%p is no range that we know: the whole", (header) => {
    expect(ranges(header, 10)).toBe("whole");
  });

  test("an empty blob is whole, whatever is asked of it", () => {
    expect(ranges("bytes=0-", 0)).toBe("whole");
    expect(ranges("bytes=-5", 0)).toBe("whole");
  });

  test("256 ranges are served", () => {
    const header = `bytes=${Array.from({ length: 256 }, (_, i) => `${i * 2}-${i * 2}`).join(",")}`;
    expect(ranges(header, 1000)).toHaveLength(256);
  });

  test("more bytes than the blob has are the whole: nobody can have it sent many times over", () => {
    expect(ranges("bytes=9-,8-,7-,6-,5-,4-,3-,2-,1-,0-", 10)).toBe("whole");
    expect(ranges("bytes=0-,0-,0-,0-", 10)).toEqual([{ start: 0, end: 9 }]);
  });

  test("If-Range that does not match is the whole", () => {
    const whole = "whole";
    expect(ranges("bytes=0-1", 10, { "if-range": entityTag(digest) })).not.toBe(whole);
    expect(ranges("bytes=0-1", 10, { "if-range": '"other"' })).toBe(whole);
    // A weak tag never matches here, and we give no dates.
    expect(ranges("bytes=0-1", 10, { "if-range": `W/${entityTag(digest)}` })).toBe(whole);
    expect(ranges("bytes=0-1", 10, { "if-range": "Wed, 21 Oct 2026 07:28:00 GMT" })).toBe(whole);
  });

  /** The offsets that a range names, by looking at every offset there is. */
  function naive(specification: string, size: number): Set<number> {
    const offsets = new Set<number>();
    for (const part of specification.split(",")) {
      const [first = "", last = ""] = part.split("-");
      for (let offset = 0; offset < size; offset++) {
        const inside =
          first === ""
            ? offset >= size - Number(last)
            : offset >= Number(first) && (last === "" || offset <= Number(last));
        if (inside) offsets.add(offset);
      }
    }
    return offsets;
  }

  const number = fc.nat({ max: 40 }).map(String);
  const part = fc.oneof(
    fc.tuple(number, number).map(([a, b]) => `${a}-${b}`),
    number.map((a) => `${a}-`),
    number.map((b) => `-${b}`),
  );
  const specification = fc.array(part, { minLength: 1, maxLength: 6 }).map((p) => p.join(","));

  test("agrees with a model that looks at every byte", () => {
    fc.assert(
      fc.property(specification, fc.nat({ max: 32 }), (text, size) => {
        const answer = ranges(`bytes=${text}`, size);
        const expected = naive(text, size);
        if (answer === "unsatisfiable") {
          expect([...expected]).toEqual([]);
          expect(size).toBeGreaterThan(0);
        } else if (answer !== "whole") {
          expect(offsetsOf(answer)).toEqual(expected);
        } else {
          // Only an empty blob, or a request for more than everything, is answered with all of it.
          const total = text.split(",").reduce((sum, each) => sum + naive(each, size).size, 0);
          expect(size === 0 || total > size).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("what is served lies inside, and is never more than the blob", () => {
    fc.assert(
      fc.property(specification, fc.integer({ min: 1, max: 32 }), (text, size) => {
        const answer = ranges(`bytes=${text}`, size);
        if (typeof answer === "string") return;
        let bytes = 0;
        for (const { start, end } of answer) {
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBeLessThan(size);
          bytes += end - start + 1;
        }
        expect(bytes).toBeLessThanOrEqual(size);
      }),
    );
  });
});

function offsetsOf(answer: readonly ByteRange[]): Set<number> {
  const offsets = new Set<number>();
  for (const { start, end } of answer) for (let i = start; i <= end; i++) offsets.add(i);
  return offsets;
}
