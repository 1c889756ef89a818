/**
 * What a disk may hold after a power cut, calculated from the system calls of a process.
 *
 * A write, and a change of a name, is certain only when a sync of its file or of its directory
 * began after it had ended, and has returned. Everything else may be there or not: names in the
 * order in which they changed, as journaling file systems keep them; written bytes in any
 * combination, sector by sector.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { bytesOfBuffers, bytesOfString, readTrace, type SystemCall } from "./system-calls.ts";

/** A disk that says it has synced what it has not. */
export type IgnoredSync = (path: string) => boolean;

export interface Cut {
  /** The position in the trace at which the power goes. */
  readonly at: number;
  /** Decides about what is not certain, in [0, 1); absent: nothing of it is there. */
  readonly chance?: () => number;
}

interface Operation {
  readonly began: number;
  readonly ended: number;
  /** When it became certain. */
  durable: number;
}

interface FileOperation extends Operation {
  readonly offset: number;
  /** Undefined: the file is cut off at the offset, or filled up to it. */
  readonly bytes: Buffer | undefined;
}

interface NameOperation extends Operation {
  readonly changes: readonly { readonly path: string; readonly node: Node | undefined }[];
}

interface Node {
  readonly directory: boolean;
  /** Of a file. */
  readonly operations: FileOperation[];
  /** So many of its operations are certain. */
  settled: number;
}

interface Descriptor {
  readonly node: Node;
  readonly path: string;
  position: number;
  readonly append: boolean;
  /** When its number was given out. */
  readonly opened: number;
}

type Effect = (call: SystemCall) => void;

const never = Number.POSITIVE_INFINITY;
const sectorBytes = 512;

export class DiskModel {
  /** When an answer with this request id was sent, by the id. */
  readonly answers = new Map<string, number>();
  /** Paths, relative to the root, of the files that were synced, and how often. */
  readonly syncs = new Map<string, number>();
  /** The length of the trace. */
  end = 0;
  private readonly root: string;
  private readonly ignores: IgnoredSync;
  private readonly names = new Map<string, Node>();
  private readonly nameOperations: NameOperation[] = [];
  /** The same by directory. */
  private readonly operationsIn = new Map<string, NameOperation[]>();
  private readonly descriptors = new Map<number, Descriptor>();

  /** @param root what is below is modelled; it does not exist when the process starts */
  constructor(root: string, ignores: IgnoredSync = () => false) {
    this.root = root;
    this.ignores = ignores;
    this.names.set(dirname(root), { directory: true, operations: [], settled: 0 });
  }

  /** Feeds several models, so that a long trace is read once. */
  static async read(trace: string, models: readonly DiskModel[]): Promise<void> {
    for await (const call of readTrace(trace)) for (const model of models) model.apply(call);
  }

  /** How many names in a directory were given to files. */
  namesGivenIn(directory: string): number {
    const parent = join(this.root, directory);
    const operations = this.operationsIn.get(parent) ?? [];
    return operations.filter(({ changes }) =>
      changes.some(({ path, node }) => node !== undefined && dirname(path) === parent),
    ).length;
  }

  /** How often a file was written at an offset, such as 0 for the header of a log. */
  writesAt(path: string, offset: number): number {
    const operations = this.names.get(join(this.root, path))?.operations ?? [];
    return operations.filter((operation) => operation.offset === offset).length;
  }

  apply(call: SystemCall): void {
    this.end = Math.max(this.end, call.ended);
    if (call.result < 0 && call.name !== "close") return;
    const effect = this.effects[call.name];
    if (effect !== undefined) effect(call);
    else this.refuse(call);
  }

  private readonly effects: Readonly<Record<string, Effect>> = {
    open: (call) => this.open(call, pathOf(call, 0), call.parameters[1] ?? ""),
    openat: (call) => this.open(call, this.at(call, 0), call.parameters[2] ?? ""),
    creat: (call) => this.open(call, pathOf(call, 0), "O_CREAT|O_TRUNC|O_WRONLY"),
    close: (call) => this.close(call),
    dup: (call) => this.duplicate(call),
    dup2: (call) => this.duplicate(call),
    dup3: (call) => this.duplicate(call),
    fcntl: (call) => {
      if (call.parameters[1]?.startsWith("F_DUPFD")) this.duplicate(call);
    },
    lseek: (call) => {
      const descriptor = this.descriptorOf(call);
      if (descriptor) descriptor.position = call.result;
    },
    write: (call) => this.write(call, bytesOfString, undefined),
    writev: (call) => this.write(call, bytesOfBuffers, undefined),
    pwrite64: (call) => this.write(call, bytesOfString, Number(call.parameters[3])),
    pwritev: (call) => this.write(call, bytesOfBuffers, Number(call.parameters[3])),
    pwritev2: (call) => this.write(call, bytesOfBuffers, Number(call.parameters[3])),
    ftruncate: (call) => {
      const offset = Number(call.parameters[1]);
      this.descriptorOf(call)?.node.operations.push({ ...times(call), offset, bytes: undefined });
    },
    fsync: (call) => this.sync(call),
    fdatasync: (call) => this.sync(call),
    link: (call) => this.link(call, pathOf(call, 0), pathOf(call, 1)),
    linkat: (call) => this.link(call, this.at(call, 0), this.at(call, 2)),
    rename: (call) => this.rename(call, pathOf(call, 0), pathOf(call, 1)),
    renameat: (call) => this.rename(call, this.at(call, 0), this.at(call, 2)),
    renameat2: (call) => this.rename(call, this.at(call, 0), this.at(call, 2)),
    unlink: (call) => this.remove(call, pathOf(call, 0)),
    unlinkat: (call) => this.remove(call, this.at(call, 0)),
    rmdir: (call) => this.remove(call, pathOf(call, 0)),
    mkdir: (call) => this.make(call, pathOf(call, 0)),
    mkdirat: (call) => this.make(call, this.at(call, 0)),
    sendto: (call) => this.answer(call, bytesOfString(call, 1)),
    sendmsg: (call) => this.answer(call, bytesOfBuffers(call, 1)),
    mmap: (call) => this.checkMapping(call),
  };

  private descriptorOf({ parameters }: SystemCall): Descriptor | undefined {
    return this.descriptors.get(Number(parameters[0]));
  }

  /** @param index of the directory's descriptor, which the path follows */
  private at(call: SystemCall, index: number): string {
    const path = pathOf(call, index + 1);
    const directory = Number(call.parameters[index]);
    // What is relative to the working directory, or to a directory outside, is outside.
    if (path.startsWith("/") || !this.descriptors.has(directory)) return path;
    throw new Error(`a path relative to a descriptor is not modelled: ${path}`);
  }

  private isInside(path: string): boolean {
    return path === this.root || path.startsWith(`${this.root}/`);
  }

  private open(call: SystemCall, path: string, flags: string): void {
    if (!this.isInside(path) && path !== dirname(this.root)) return;
    let node = this.names.get(path);
    if (node === undefined) {
      if (!flags.includes("O_CREAT")) throw new Error(`${path} was opened and is not known`);
      node = { directory: false, operations: [], settled: 0 };
      this.changeNames(call, [{ path, node }]);
    } else if (flags.includes("O_TRUNC")) {
      node.operations.push({ ...times(call), offset: 0, bytes: undefined });
    }
    const append = flags.includes("O_APPEND");
    this.descriptors.set(call.result, { node, path, position: 0, append, opened: call.ended });
  }

  /** Another thread may have been given the same number before this one's call returned. */
  private close(call: SystemCall): void {
    const descriptor = this.descriptorOf(call);
    if (descriptor && descriptor.opened <= call.began) {
      this.descriptors.delete(Number(call.parameters[0]));
    }
  }

  private duplicate(call: SystemCall): void {
    const descriptor = this.descriptorOf(call);
    if (descriptor) this.descriptors.set(call.result, { ...descriptor, opened: call.ended });
    else this.descriptors.delete(call.result);
  }

  private write(
    call: SystemCall,
    bytesOf: (call: SystemCall, index: number) => Buffer,
    offset: number | undefined,
  ): void {
    const descriptor = this.descriptorOf(call);
    if (descriptor === undefined) {
      if (offset === undefined) this.answer(call, bytesOf(call, 1));
      return;
    }
    if (descriptor.append) throw new Error(`appending to ${descriptor.path} is not modelled`);
    const bytes = bytesOf(call, 1).subarray(0, call.result);
    const start = offset ?? descriptor.position;
    if (offset === undefined) descriptor.position += bytes.length;
    descriptor.node.operations.push({ ...times(call), offset: start, bytes });
  }

  private sync(call: SystemCall): void {
    const descriptor = this.descriptorOf(call);
    if (descriptor === undefined) return;
    const { node, path } = descriptor;
    const name = relative(this.root, path) || ".";
    if (this.ignores(name)) return;
    this.syncs.set(name, (this.syncs.get(name) ?? 0) + 1);
    // What was made certain before needs no second look: a log has thousands of writes.
    const operations: readonly Operation[] = node.directory
      ? (this.operationsIn.get(path) ?? [])
      : node.operations;
    let { settled } = node;
    while ((operations[settled]?.durable ?? never) < never) settled++;
    node.settled = settled;
    for (const operation of operations.slice(settled)) {
      if (operation.ended < call.began) {
        operation.durable = Math.min(operation.durable, call.ended);
      }
    }
  }

  private link(call: SystemCall, from: string, to: string): void {
    const node = this.names.get(from);
    if (node !== undefined) this.changeNames(call, [{ path: to, node }]);
  }

  private rename(call: SystemCall, from: string, to: string): void {
    const node = this.names.get(from);
    // A rename over another name of the same file does nothing.
    if (node === undefined || node === this.names.get(to)) return;
    this.changeNames(call, [
      { path: from, node: undefined },
      { path: to, node },
    ]);
  }

  private remove(call: SystemCall, path: string): void {
    this.changeNames(call, [{ path, node: undefined }]);
  }

  private make(call: SystemCall, path: string): void {
    this.changeNames(call, [{ path, node: { directory: true, operations: [], settled: 0 } }]);
  }

  private changeNames(call: SystemCall, changes: NameOperation["changes"]): void {
    const inside = changes.filter(({ path }) => this.isInside(path));
    if (inside.length === 0) return;
    if (inside.length < changes.length) throw new Error("a name that moves out of the root");
    const operation = { ...times(call), changes };
    this.nameOperations.push(operation);
    for (const directory of new Set(changes.map(({ path }) => dirname(path)))) {
      const operations = this.operationsIn.get(directory) ?? [];
      this.operationsIn.set(directory, operations);
      operations.push(operation);
    }
    for (const { path, node } of changes) {
      if (node === undefined) this.names.delete(path);
      else this.names.set(path, node);
    }
  }

  private answer(call: SystemCall, bytes: Buffer): void {
    const head = bytes.subarray(0, 4096).toString("latin1");
    if (!head.startsWith("HTTP/1.1 ")) return;
    const id = /\r\nx-request-id: ([^\r]+)\r/i.exec(head)?.[1];
    if (id !== undefined) this.answers.set(id, call.began);
  }

  /** SQLite shares memory through its -shm file, which it makes anew after a crash. */
  private checkMapping({ parameters }: SystemCall): void {
    const descriptor = this.descriptors.get(Number(parameters[4]));
    const writes = parameters[2]?.includes("PROT_WRITE") && parameters[3]?.includes("MAP_SHARED");
    if (descriptor && writes && !descriptor.path.endsWith("-shm")) {
      throw new Error(`${descriptor.path} is written through memory, which the trace cannot see`);
    }
  }

  private refuse({ name, parameters }: SystemCall): void {
    if (name === "io_uring_setup") throw new Error("io_uring hides its writes from the trace");
    const ours = parameters.some((parameter) => this.descriptors.has(Number(parameter)));
    if (ours && name !== "ioctl") throw new Error(`${name} on a file is not modelled`);
  }

  /** Writes what the disk may hold to a directory that exists. */
  writeImage(cut: Cut, directory: string): void {
    for (const [path, node] of this.namesAfter(cut)) {
      const copy = join(directory, relative(this.root, path));
      if (node.directory) mkdirSync(copy, { recursive: true });
      else writeFileSync(copy, contentAfter(node, cut));
    }
  }

  /** Directories before what they hold; what is in a directory that was lost is lost. */
  private namesAfter(cut: Cut): [string, Node][] {
    const { at, chance } = cut;
    const uncertain = this.nameOperations.filter(
      ({ began, durable }) => began < at && durable > at,
    );
    const kept = new Set(uncertain.slice(0, chance ? Math.ceil(chance() * uncertain.length) : 0));
    const names = new Map<string, Node>();
    for (const operation of this.nameOperations) {
      if (operation.durable > at && !kept.has(operation)) continue;
      for (const { path, node } of operation.changes) {
        if (node === undefined) names.delete(path);
        else names.set(path, node);
      }
    }
    const found = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
    const reachable = new Set([dirname(this.root)]);
    return found.filter(([path, node]) => {
      if (!reachable.has(dirname(path))) return false;
      if (node.directory) reachable.add(path);
      return true;
    });
  }
}

function pathOf(call: SystemCall, index: number): string {
  return bytesOfString(call, index).toString();
}

function times({ began, ended }: SystemCall) {
  return { began, ended, durable: never };
}

function contentAfter(node: Node, { at, chance }: Cut): Buffer {
  const happened = node.operations.filter(({ began }) => began < at);
  const ends = happened.map(({ offset, bytes }) => offset + (bytes?.length ?? 0));
  const content = Buffer.alloc(Math.max(0, ...ends));
  let size = 0;
  const write = (offset: number, bytes: Buffer) => {
    bytes.copy(content, offset);
    size = Math.max(size, offset + bytes.length);
  };
  for (const { durable, offset, bytes } of happened) {
    const certain = durable <= at;
    if (!certain && chance === undefined) continue;
    if (bytes === undefined) {
      if (!certain && chance !== undefined && chance() < 0.5) continue;
      content.fill(0, offset);
      size = offset;
    } else if (certain || chance === undefined) {
      write(offset, bytes);
    } else {
      // Half of the writes whole, the other half torn.
      const tearing = chance() < 0.5;
      for (let start = 0; start < bytes.length; start += sectorBytes) {
        if (tearing && chance() < 0.5) continue;
        write(offset + start, bytes.subarray(start, start + sectorBytes));
      }
    }
  }
  return content.subarray(0, size);
}
