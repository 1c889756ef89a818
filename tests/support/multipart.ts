/** Reads multipart/byteranges byte for byte, as strictly as it is written down. */

export interface RangePart {
  readonly contentType: string;
  readonly start: number;
  readonly end: number;
  readonly total: number;
  readonly bytes: Uint8Array;
}

/** @throws when a byte is not where RFC 9110 and RFC 2046 want it */
export function parseByteRanges(contentType: string, body: Uint8Array): RangePart[] {
  const boundary = /^multipart\/byteranges; boundary=([0-9A-Za-z'()+_,\-./:=?]{1,70})$/.exec(
    contentType,
  )?.[1];
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`);
  const text = Buffer.from(body).toString("latin1");
  const parts: RangePart[] = [];
  let position = 0;
  const expectText = (expected: string) => {
    const found = text.slice(position, position + expected.length);
    if (found !== expected) {
      throw new Error(
        `expected ${JSON.stringify(expected)} at ${position}: ${JSON.stringify(found)}`,
      );
    }
    position += expected.length;
  };
  for (;;) {
    expectText(`\r\n--${boundary}`);
    if (text.startsWith("--", position)) {
      expectText("--\r\n");
      if (position !== text.length)
        throw new Error(`${text.length - position} bytes behind the end`);
      return parts;
    }
    const head =
      /^\r\nContent-Type: ([^\r]+)\r\nContent-Range: bytes (\d+)-(\d+)\/(\d+)\r\n\r\n/.exec(
        text.slice(position, position + 512),
      );
    if (head === null) throw new Error(`no head of a part at ${position}`);
    position += head[0].length;
    const [start, end, total] = [Number(head[2]), Number(head[3]), Number(head[4])];
    const bytes = body.subarray(position, position + end - start + 1);
    position += bytes.byteLength;
    parts.push({ contentType: head[1] ?? "", start, end, total, bytes });
  }
}
