/**
 * Lines to a file descriptor, gathered in memory and written off the event loop, one write at a
 * time. A reader that does not keep up costs lines, never requests: what waits is bounded, and
 * what is dropped is counted and said.
 */
import { write, writeSync } from "node:fs";

export interface LineWriter {
  /** A whole line with its line break. */
  write(line: string): void;
  /** Writes what is gathered before it returns; for the end of the process. */
  flush(): void;
}

export interface LineWriterOptions {
  readonly descriptor: number;
  /** Makes the line that tells how many were dropped. */
  readonly droppedLine: (count: number) => string;
  /** Characters that may wait for a slow reader. */
  readonly waitingLimit?: number;
}

/** About two hundred request lines in one write. */
const gatheredCharacters = 64 * 1024;
/** No line waits longer, when the reader keeps up. */
const flushMilliseconds = 100;
/** A full pipe that does not block: try again. */
const againMilliseconds = 5;

export function lineWriter(options: LineWriterOptions): LineWriter {
  const { descriptor, droppedLine, waitingLimit = 16 * 1024 * 1024 } = options;
  let lines: string[] = [];
  let length = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  /** What is being written; kept, so that a flush in the middle loses nothing. */
  let writing: Buffer | undefined;
  let offset = 0;

  function take(): Buffer {
    if (dropped > 0) {
      lines.push(droppedLine(dropped));
      dropped = 0;
    }
    const bytes = Buffer.from(lines.join(""));
    lines = [];
    length = 0;
    return bytes;
  }

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    if (writing !== undefined || lines.length === 0) return;
    writing = take();
    offset = 0;
    next();
  }

  function next(): void {
    const bytes = writing;
    if (bytes === undefined) return;
    write(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
      // A flush overtook this write.
      if (writing !== bytes) return;
      if (error?.code === "EAGAIN") {
        setTimeout(next, againMilliseconds);
        return;
      }
      offset += written ?? 0;
      if (error === null && offset < bytes.length) return next();
      // After any other error nobody reads: the bytes are given up.
      writing = undefined;
      if (length >= gatheredCharacters) start();
      else if (lines.length > 0) arm();
    });
  }

  function arm(): void {
    timer ??= setTimeout(start, flushMilliseconds);
    timer.unref();
  }

  return {
    write(line) {
      if (length > waitingLimit) {
        dropped++;
        return;
      }
      lines.push(line);
      length += line.length;
      if (length >= gatheredCharacters) start();
      else if (timer === undefined) arm();
    },
    flush() {
      clearTimeout(timer);
      timer = undefined;
      // A write that runs may or may not have happened: the tail of it could appear twice, which is
      // better than not at all.
      const bytes = Buffer.concat([writing?.subarray(offset) ?? Buffer.alloc(0), take()]);
      writing = undefined;
      writeAll(descriptor, bytes);
    },
  };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  let attempts = 0;
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      // The reader is gone, or does not read any more: there is nobody left to tell.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || attempts++ > 200) return;
      Bun.sleepSync(againMilliseconds);
    }
  }
}
