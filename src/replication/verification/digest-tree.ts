/**
 * A digest tree over the ordered leaves of a repository, or over the repositories of a registry:
 * pure, and the same on every side.
 *
 * A leaf lies in the tree where the SHA-256 of its key says, one hexadecimal digit a level, so that
 * a node has at most 16 children however the keys are distributed. The hash of a node is that of all
 * leaves below it in the byte order of their keys. It can therefore be calculated in one ordered
 * scan, in memory that does not grow with the number of leaves.
 */

/** Its key, then what else is compared. No part contains a NUL. */
export type Leaf = readonly [string, ...string[]];

export interface Summary {
  readonly count: number;
  /** 128 bits in hexadecimal; empty when the count is 0. */
  readonly hash: string;
}

export interface TreeNode extends Summary {
  /** By the next digit of the position; empty children are left out. */
  readonly children: ReadonlyMap<string, Summary>;
  /** All that lie below, when they are few. */
  readonly leaves: readonly Leaf[] | undefined;
}

/** A node with no more leaves than this is listed instead of divided. */
export const listedLeavesLimit = 32;

export const emptySummary: Summary = { count: 0, hash: "" };

export interface Summarizer {
  /** In the byte order of the keys. */
  add(leaf: Leaf): void;
  end(): Summary;
}

export function summarizer(): Summarizer {
  const hasher = new Bun.CryptoHasher("sha256");
  let count = 0;
  return {
    add(leaf) {
      count += 1;
      hasher.update(`${leaf.join("\0")}\n`);
    },
    end: () => (count === 0 ? emptySummary : { count, hash: hasher.digest("hex").slice(0, 32) }),
  };
}

/** 64 hexadecimal digits. */
export function positionOf(key: string): string {
  return Bun.CryptoHasher.hash("sha256", key, "hex");
}

/** The nodes at some prefixes of positions, in one scan over ordered leaves. */
export async function treeNodes(
  pages: AsyncIterable<readonly Leaf[]>,
  prefixes: readonly string[],
): Promise<TreeNode[]> {
  const builders = new Map(prefixes.map((prefix) => [prefix, nodeBuilder(prefix)]));
  const lengths = [...new Set(prefixes.map((prefix) => prefix.length))];
  for await (const page of pages) {
    for (const leaf of page) {
      const position = positionOf(leaf[0]);
      for (const length of lengths) builders.get(position.slice(0, length))?.add(leaf, position);
    }
  }
  const nodes = new Map([...builders].map(([prefix, builder]) => [prefix, builder.end()]));
  return prefixes.map((prefix) => nodes.get(prefix) ?? emptyNode);
}

const emptyNode: TreeNode = { ...emptySummary, children: new Map(), leaves: [] };

/** All leaves below a prefix; `limit` bounds what is held. */
export async function leavesBelow(
  pages: AsyncIterable<readonly Leaf[]>,
  prefix: string,
  limit: number,
): Promise<Leaf[]> {
  const found: Leaf[] = [];
  for await (const page of pages) {
    for (const leaf of page) {
      if (prefix !== "" && !positionOf(leaf[0]).startsWith(prefix)) continue;
      found.push(leaf);
      if (found.length >= limit) return found;
    }
  }
  return found;
}

function nodeBuilder(prefix: string) {
  const whole = summarizer();
  const children = new Map<string, Summarizer>();
  let leaves: Leaf[] | undefined = [];
  return {
    add(leaf: Leaf, position: string) {
      whole.add(leaf);
      const digit = position.charAt(prefix.length);
      let child = children.get(digit);
      if (child === undefined) {
        child = summarizer();
        children.set(digit, child);
      }
      child.add(leaf);
      leaves?.push(leaf);
      if (leaves !== undefined && leaves.length > listedLeavesLimit) leaves = undefined;
    },
    end: (): TreeNode => ({
      ...whole.end(),
      children: new Map([...children].map(([digit, child]) => [digit, child.end()])),
      leaves,
    }),
  };
}
