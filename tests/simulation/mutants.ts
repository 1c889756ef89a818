/**
 * Ways to break the engine, each of which the simulator must notice: what shows that it has teeth. A
 * patch that does not apply any more fails the test of it.
 */
export interface Mutant {
  readonly name: string;
  /** What a person would have forgotten. */
  readonly why: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "tag-before-closure",
    why: "the destination applies an offer although blobs are missing",
    file: "src/replication/apply.ts",
    find: 'if (missing.length > 0) return { outcome: "missing", digests: missing };',
    replace: "",
  },
  {
    name: "complete-without-commit",
    why: "the source takes the blobs' arrival for the image's, and never offers again",
    file: "src/replication/transfer.ts",
    find: "    inline = [...plan.inline];\n",
    replace:
      '    if (plan.inline.length === 0) return { outcome: "applied", tag: "set" };\n    inline = [...plan.inline];\n',
  },
  {
    name: "no-fencing",
    why: "an attempt that was overtaken records its outcome all the same",
    file: "src/metadata/queries/replications.ts",
    find: "where id = $1 and lease = $2 and state = 'pending'",
    replace: "where id = $1 and lease >= 0 * $2 and state = 'pending'",
  },
  {
    name: "last-arrival-wins",
    why: "whatever arrives last wins, however old it is",
    file: "src/replication/decide.ts",
    find: 'return order > 0 ? "accept" : "keep";',
    replace: 'return "accept";',
  },
  {
    name: "present-wins",
    why: "a tag that is there is never moved by replication",
    file: "src/replication/decide.ts",
    find: 'return order > 0 ? "accept" : "keep";',
    replace: 'return "keep";',
  },
  {
    name: "tombstones-ignored",
    why: "a tag that was deleted comes back by an older push that arrives late",
    file: "src/replication/apply.ts",
    find: 'return tombstone && { kind: "tombstone", digest: tombstone.digest, version: tombstone };',
    replace: "return tombstone && undefined;",
  },
  {
    name: "forwards-what-arrived",
    why: "what arrived by replication is replicated again",
    file: "src/replication/observer.ts",
    find: "if (change.origin !== region || isReplicationActor(change.account, change.actor)) return;",
    replace: "",
  },
  {
    name: "blobs-not-verified",
    why: "bytes are published under the digest that they should have",
    file: "src/blobs/verified.ts",
    find: "if (actual !== digest) throw new DigestMismatchError(digest, actual);",
    replace: "",
  },
  {
    name: "manifests-not-verified",
    why: "a manifest is stored under the digest that the source names",
    file: "src/replication/apply.ts",
    find: 'if (actual !== digest) {\n    throw new ReplicationFailure("digest_mismatch"',
    replace: 'if (actual === undefined) {\n    throw new ReplicationFailure("digest_mismatch"',
  },
  {
    name: "offsets-trusted",
    why: "a part is appended wherever it says that it begins",
    file: "src/replication/incoming-blob.ts",
    find: 'if (stage.size !== offset) return { outcome: "offset", held: stage.size };',
    replace: "",
  },
  {
    name: "gives-up",
    why: "a destination that cannot be reached is given up after three attempts",
    file: "src/replication/attempt.ts",
    find: "  const { code, kind } = failure;\n",
    replace:
      "  const { code } = failure;\n  const kind = row.attempts >= 3 ? { ...failure.kind, terminal: true } : failure.kind;\n",
  },
  {
    name: "circuit-stays-open",
    why: "a destination that is back is not noticed",
    file: "src/replication/circuit.ts",
    find: "      const wait = probeAt - now;\n",
    replace:
      "      if (open()) return Number.MAX_SAFE_INTEGER;\n      const wait = probeAt - now;\n",
  },
  {
    name: "clock-goes-back",
    why: "a new version of a tag does not look at the old one",
    file: "src/registry/set-tag.ts",
    find: "context.hybridClock.tick((current ?? tombstone)?.clock)",
    replace: "context.hybridClock.tick()",
  },
  {
    name: "immutability-ignored",
    why: "replication moves tags that may not be moved",
    file: "src/replication/apply.ts",
    find: "if (!isMovableTag(settings, name)) return",
    replace: "if (!isMovableTag(settings, name) && split) return",
  },
  {
    name: "row-sometimes-missing",
    why: "one push in sixteen is acknowledged without its replications",
    file: "src/replication/observer.ts",
    find: "    if (configuration.rules.length === 0) return;\n",
    replace:
      '    if (configuration.rules.length === 0 || options.random.uuid().startsWith("0")) return;\n',
  },
];
