/** One entry of the configuration: its type, its default and its description. */
import type { ByteSize, Duration, ValueType } from "./configuration-values.ts";

export interface Entry<T, D extends T | undefined = T | undefined> {
  readonly type: ValueType<T>;
  /** Undefined when the entry may be absent. */
  readonly default: D;
  /** One or more sentences for the reference. */
  readonly description: string;
  /** Has a flag of its own; every other one that is not secret is reached by `--set`. */
  readonly flag?: { readonly value: string };
  /** Never a flag, never printed. */
  readonly secret?: true;
  /** Where it may stand, when not everywhere. */
  readonly only?: "environment" | "file";
  /** A path: relative to the file that names it, else to the working directory. */
  readonly path?: true;
}

export type EntryTree = { readonly [key: string]: Entry<unknown, unknown> | EntryTree };

/** An entry that always has a value. */
export function entry<T>(
  type: ValueType<T>,
  defaultValue: T,
  description: string,
  more: Omit<Entry<T>, "type" | "default" | "description"> = {},
): Entry<T, T> {
  return { type, default: defaultValue, description, ...more };
}

export function optional<T>(
  type: ValueType<T>,
  description: string,
  more: Omit<Entry<T>, "type" | "default" | "description"> = {},
): Entry<T, T | undefined> {
  return { type, default: undefined, description, ...more };
}

export const seconds = (count: number): Duration => ({ milliseconds: count * 1000 });
export const mebibytes = (count: number): ByteSize => ({ bytes: count * 1024 ** 2 });
