/** Reads what `strace -f -xx` wrote: the system calls of a process and all of its threads. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export interface SystemCall {
  readonly name: string;
  /** As text; strings are still in strace's hexadecimal form. */
  readonly parameters: readonly string[];
  readonly result: number;
  /** Positions in the trace: of the line where it began, and of the line where it returned. */
  readonly began: number;
  readonly ended: number;
}

/** What changes files, names files, makes them durable, or sends an answer. */
export const tracedCalls = [
  ...["open", "openat", "creat", "close", "dup", "dup2", "dup3", "fcntl", "lseek"],
  ...["write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "truncate", "fallocate"],
  ...["copy_file_range", "sendfile", "splice", "sync_file_range", "msync", "ioctl", "mmap"],
  ...["fsync", "fdatasync", "sync", "syncfs", "io_uring_setup"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"],
  ...["unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "sendto", "sendmsg"],
] as const;

/** The command that traces another one. */
export function traceCommand(file: string, command: readonly string[]): string[] {
  return [
    ...["strace", "-f", "--seccomp-bpf", "-xx", "-s", "8388608", "-o", file],
    ...["-e", `trace=${tracedCalls.join(",")}`, "-e", "signal=none", "--"],
    ...command,
  ];
}

/** In the order in which they returned. */
export async function* readTrace(file: string): AsyncIterable<SystemCall> {
  const unfinished = new Map<string, { text: string; began: number }>();
  let position = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    position++;
    const [, thread = "", text = ""] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    if (text.endsWith("<unfinished ...>")) {
      unfinished.set(thread, { text: text.slice(0, -"<unfinished ...>".length), began: position });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text);
    const start = resumed && unfinished.get(thread);
    if (start) unfinished.delete(thread);
    const whole = start ? start.text + text.slice(resumed[0].length) : text;
    const call = parseCall(whole, start?.began ?? position, position);
    if (call !== undefined) yield call;
  }
}

/** Undefined for signals, ends of threads, and calls that the end of the process cut off. */
function parseCall(text: string, began: number, ended: number): SystemCall | undefined {
  const open = text.indexOf("(");
  const end = /\) +=( -?\d+)[^=]*$/.exec(text.slice(-200));
  if (open < 0 || end === null) return undefined;
  const close = Math.max(0, text.length - 200) + end.index;
  const name = text.slice(0, open);
  const result = Number(end[1]);
  if (!/^\w+$/.test(name) || Number.isNaN(result)) return undefined;
  return { name, parameters: split(text.slice(open + 1, close)), result, began, ended };
}

/** At the commas outside of strings, lists and structures. */
function split(text: string): string[] {
  const parameters: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    // Within strings there is nothing but `\x..`.
    if (character === '"') {
      quoted = !quoted;
      if (quoted) i = text.indexOf('"', i + 1) - 1;
    } else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    else if (character === "," && depth === 0 && !quoted) {
      parameters.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parameters.push(text.slice(start).trim());
  return parameters;
}

/** The bytes of a string. Those of a call are wanted by several readers, and decoded once. */
export function bytesOfString(call: SystemCall, index: number): Buffer {
  return decodedOnce(call, index, () => decode(call.parameters[index]));
}

/** The bytes of all strings in a list of buffers. */
export function bytesOfBuffers(call: SystemCall, index: number): Buffer {
  return decodedOnce(call, index, () => {
    const strings = call.parameters[index]?.match(/iov_base="[^"]*"/g) ?? [];
    return Buffer.concat(strings.map((text) => decode(text.slice("iov_base=".length))));
  });
}

const decoded = new WeakMap<SystemCall, Map<number, Buffer>>();

function decodedOnce(call: SystemCall, index: number, work: () => Buffer): Buffer {
  const known = decoded.get(call) ?? new Map<number, Buffer>();
  decoded.set(call, known);
  const bytes = known.get(index) ?? work();
  known.set(index, bytes);
  return bytes;
}

function decode(parameter: string | undefined): Buffer {
  if (!parameter?.startsWith('"') || !parameter.endsWith('"')) {
    throw new Error(`not a whole string: ${parameter?.slice(0, 60)}`);
  }
  return Buffer.from(parameter.slice(1, -1).replaceAll("\\x", ""), "hex");
}
