/**
 * Goes down both trees where they differ, level by level and many nodes a question, and comes back
 * with the leaves that are not the same on both sides.
 */
import { type Leaf, leavesBelow, type TreeNode, treeNodes } from "./digest-tree.ts";
import type { ExpectedImages } from "./expected-images.ts";
import {
  type NodeAnswer,
  type NodeQuestion,
  type VerificationAnswer,
  type VerificationQuestion,
  verificationLimits,
} from "./messages.ts";
import { type LeafKind, leafKinds, repositoryPages } from "./registry-leaves.ts";

export type Ask = (question: VerificationQuestion) => Promise<VerificationAnswer>;

/** A tag or a manifest that is not the same on both sides. */
export interface Suspect {
  readonly repository: string;
  readonly kind: LeafKind;
  /** The tag, or the digest of the manifest. */
  readonly key: string;
}

export interface Comparison {
  readonly suspects: readonly Suspect[];
  /** More differ than may be listed. */
  readonly truncated: boolean;
}

export interface CompareOptions {
  readonly account: string;
  readonly expected: ExpectedImages;
  /** Compare the repositories that are here, one by one, and not what else is there. */
  readonly named: boolean;
  readonly suspectsLimit: number;
  readonly ask: Ask;
  readonly signal: AbortSignal;
}

/** @throws ReplicationFailure */
export async function compareTrees(options: CompareOptions): Promise<Comparison> {
  const { account, expected, suspectsLimit, ask, signal } = options;
  const suspects = new Map<string, Suspect>();
  let truncated = false;
  const open: NodeQuestion[] = [];
  if (options.named) {
    for (const name of expected.repositories.keys()) push(name, undefined);
  } else {
    const [root] = await treeNodes(repositoryPages(expected.summary), [""]);
    open.push({ of: "repositories", prefix: "", hash: root?.hash ?? "" });
  }

  while (open.length > 0 && !truncated) {
    signal.throwIfAborted();
    // From the end: a level is finished below before its neighbours, and the list stays short.
    const nodes = open.splice(-verificationLimits.nodes);
    const answer = await ask({ ask: "nodes", account, nodes });
    if (answer.ask !== "nodes") throw new Error("the answer is to another question");
    const differing = nodes.flatMap((question, i) => {
      const there = answer.nodes[i];
      return there === undefined || there.is === "same" ? [] : [{ question, there }];
    });
    for (const group of Map.groupBy(differing, ({ question }) => sourceOf(question)).values()) {
      await descend(group);
    }
  }
  return { suspects: [...suspects.values()], truncated };

  /** Both kinds of a repository, unless what is there is known to be equal. */
  function push(name: string, there: Leaf | undefined): void {
    const here = expected.repositories.get(name);
    const [, tags = "", manifests = ""] = there ?? [];
    const hashes = { tags, manifests };
    for (const kind of here?.kinds ?? leafKinds) {
      const hash = here?.[kind].hash ?? "";
      if (there !== undefined && hashes[kind] === hash) continue;
      open.push({ of: kind, repository: name, prefix: "", hash });
    }
  }

  async function descend(
    group: readonly { question: NodeQuestion; there: NodeAnswer }[],
  ): Promise<void> {
    const prefixes = group.map(({ question }) => question.prefix);
    const [first] = group;
    if (first === undefined) return;
    const here = await treeNodes(pagesOf(first.question), prefixes);
    for (const [i, { question, there }] of group.entries()) {
      const node = here[i];
      if (node === undefined) continue;
      if (there.is === "divided") await divide(question, node, there.children);
      else if (there.is === "listed") await list(question, node, there.leaves);
    }
  }

  async function divide(
    question: NodeQuestion,
    node: TreeNode,
    there: Readonly<Record<string, { hash: string; count: number }>>,
  ): Promise<void> {
    for (const digit of new Set([...node.children.keys(), ...Object.keys(there)])) {
      const hash = node.children.get(digit)?.hash ?? "";
      if (hash === (there[digit]?.hash ?? "")) continue;
      const prefix = question.prefix + digit;
      // Nothing is there: that needs no question.
      if (there[digit] === undefined) await list({ ...question, prefix }, undefined, []);
      else open.push({ ...question, prefix, hash });
    }
  }

  async function list(
    question: NodeQuestion,
    node: TreeNode | undefined,
    there: readonly Leaf[],
  ): Promise<void> {
    const limit = suspectsLimit + 1;
    const here = node?.leaves ?? (await leavesBelow(pagesOf(question), question.prefix, limit));
    const others = new Map(there.map((leaf) => [leaf[0], leaf]));
    for (const leaf of here) {
      const other = others.get(leaf[0]);
      others.delete(leaf[0]);
      if (other?.join("\0") !== leaf.join("\0")) differs(question, leaf[0], other);
    }
    for (const [key, leaf] of others) differs(question, key, leaf);
  }

  function differs({ of, repository = "" }: NodeQuestion, key: string, there: Leaf | undefined) {
    if (of === "repositories") return push(key, there);
    if (suspects.size >= suspectsLimit) truncated = true;
    else suspects.set(`${repository} ${of} ${key}`, { repository, kind: of, key });
  }

  function pagesOf({ of, repository = "" }: NodeQuestion): AsyncIterable<readonly Leaf[]> {
    if (of === "repositories") return repositoryPages(expected.summary);
    return expected.repositories.has(repository) ? expected.pages(repository, of) : nothing();
  }
}

function sourceOf({ of, repository = "" }: NodeQuestion): string {
  return `${of} ${repository}`;
}

async function* nothing(): AsyncGenerator<readonly Leaf[]> {}
