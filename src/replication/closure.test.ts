import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Digest, digestOf } from "../image/digest.ts";
import { type ClosureNode, type HeldReference, walkClosure } from "./closure.ts";

const limits = { manifests: 1000, manifestBytes: 1_000_000, blobs: 1000 };
const manifest = (i: number): Digest => digestOf(new TextEncoder().encode(`manifest ${i}`));
const blob = (i: number): Digest => digestOf(new TextEncoder().encode(`blob ${i}`));

const node = (i: number, references: readonly HeldReference[]): ClosureNode => ({
  manifest: { digest: manifest(i), mediaType: "m", origin: "us-east-1", bytes: new Uint8Array(10) },
  references,
});

interface GraphNode {
  readonly children: number[];
  readonly blobs: number[];
  readonly absent: number[];
}

/** Graphs of up to twelve manifests: any of them may name any other, or itself, or one that is gone. */
const graph: fc.Arbitrary<GraphNode[]> = fc.array(
  fc.record({
    children: fc.array(fc.nat(14), { maxLength: 4 }),
    blobs: fc.array(fc.nat(6), { maxLength: 3 }),
    absent: fc.array(fc.nat(3), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 12 },
);

function readerOf(
  nodes: readonly GraphNode[],
): (digest: Digest) => Promise<ClosureNode | undefined> {
  const known = new Map(
    nodes.map(({ children, blobs, absent }, i) => [
      manifest(i),
      node(i, [
        ...children.map((child) => ({ kind: "manifest", digest: manifest(child) }) as const),
        ...blobs.map((n) => ({ kind: "blob", digest: blob(n), size: n }) as const),
        ...absent.map((n) => ({ kind: "absent", digest: `sha256:absent${n}` }) as const),
      ]),
    ]),
  );
  return async (digest) => known.get(digest);
}

describe("walkClosure", () => {
  test("finds everything that can be reached, each once, and ends on any graph", async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (nodes) => {
        const closure = await walkClosure(manifest(0), readerOf(nodes), limits);
        const reachable = new Set([0]);
        for (const i of reachable) {
          for (const child of nodes[i]?.children ?? [])
            if (child < nodes.length) reachable.add(child);
        }
        const digests = closure?.manifests.map(({ digest }) => digest) ?? [];
        expect([...digests].sort()).toEqual([...reachable].map(manifest).sort());
        expect(closure?.manifests.at(-1)?.digest).toBe(manifest(0));
        const blobs = new Set([...reachable].flatMap((i) => nodes[i]?.blobs ?? []).map(blob));
        expect(closure?.blobs.map(({ digest }) => digest).sort()).toEqual([...blobs].sort());
      }),
    );
  });

  test("lists children before their parents wherever there is no circle", async () => {
    const forward = graph.map((nodes) =>
      nodes.map((one, i) => ({ ...one, children: one.children.map((child) => i + 1 + child) })),
    );
    await fc.assert(
      fc.asyncProperty(forward, async (nodes) => {
        const closure = await walkClosure(manifest(0), readerOf(nodes), limits);
        const order = closure?.manifests.map(({ digest }) => digest) ?? [];
        for (const [i, { children }] of nodes.entries()) {
          const position = order.indexOf(manifest(i));
          for (const child of children) {
            if (position < 0 || child >= nodes.length) continue;
            expect(order.indexOf(manifest(child))).toBeLessThan(position);
          }
        }
      }),
    );
  });

  test("is undefined without its root, and refuses what is lost or too large", async () => {
    const only = (references: readonly HeldReference[]) => async (digest: Digest) =>
      digest === manifest(0) ? node(0, references) : undefined;
    expect(await walkClosure(manifest(1), only([]), limits)).toBeUndefined();
    const lost = only([{ kind: "lost", digest: blob(1) }]);
    await expect(walkClosure(manifest(0), lost, limits)).rejects.toMatchObject({
      code: "blob_unavailable",
    });
    const endless = async (digest: Digest) => {
      const next = digestOf(new TextEncoder().encode(digest));
      return { ...node(0, [{ kind: "manifest", digest: next } as const]), digest };
    };
    await expect(walkClosure(manifest(0), endless, limits)).rejects.toMatchObject({
      code: "closure_too_large",
    });
    const wide = only(
      [...Array(1001).keys()].map((i) => ({ kind: "blob", digest: blob(i), size: 1 })),
    );
    await expect(walkClosure(manifest(0), wide, limits)).rejects.toMatchObject({
      code: "closure_too_large",
    });
  });

  test("names a child that was deleted since its index was pushed", async () => {
    const read = async (digest: Digest) =>
      digest === manifest(0) ? node(0, [{ kind: "manifest", digest: manifest(9) }]) : undefined;
    expect(await walkClosure(manifest(0), read, limits)).toMatchObject({ absent: [manifest(9)] });
  });
});
