/** The destination's side of a verification: what it has of what the asking region has sent. */
import type { Digest } from "../../image/digest.ts";
import { selectRepository } from "../../metadata/queries/repositories.ts";
import { selectPresentManifests, selectTagStates } from "../../metadata/queries/verification.ts";
import type { RegistryContext } from "../../registry/context.ts";
import { scrubBlob } from "../../registry/scrub-blob.ts";
import { type TreeNode, treeNodes } from "./digest-tree.ts";
import type {
  AnswerTo,
  NodeAnswer,
  NodeQuestion,
  VerificationAnswer,
  VerificationQuestion,
} from "./messages.ts";
import { type RegistryLeaves, repositoryPages } from "./registry-leaves.ts";

/** No blob is begun after this time, so that the answer comes while its asker still waits. */
const blobsMilliseconds = 10_000;

export async function answerVerification(
  context: RegistryContext,
  leaves: RegistryLeaves,
  source: string,
  question: VerificationQuestion,
): Promise<VerificationAnswer> {
  switch (question.ask) {
    case "nodes":
      return { ask: "nodes", nodes: await answerNodes(leaves, source, question) };
    case "states":
      return { ask: "states", states: await answerStates(context, question) };
    case "blobs":
      return { ask: "blobs", blobs: await answerBlobs(context, question) };
  }
}

async function answerNodes(
  leaves: RegistryLeaves,
  source: string,
  { account, nodes }: Extract<VerificationQuestion, { ask: "nodes" }>,
): Promise<NodeAnswer[]> {
  const summary = await leaves.summaries({ account, origin: source });
  const answers = new Map<NodeQuestion, NodeAnswer>();
  // One scan for all questions about the same leaves.
  const groups = Map.groupBy(nodes, ({ of, repository }) => `${of} ${repository ?? ""}`);
  for (const questions of groups.values()) {
    const [{ of, repository } = { of: "repositories" as const, repository: undefined }] = questions;
    const known = of === "repositories" ? undefined : summary.get(repository ?? "");
    if (known !== undefined && of !== "repositories") {
      const { hash } = known[of];
      const whole = questions.filter(
        (question) => question.prefix === "" && question.hash === hash,
      );
      for (const question of whole) answers.set(question, { is: "same" });
    }
    const open = questions.filter((question) => !answers.has(question));
    if (open.length === 0) continue;
    const prefixes = open.map(({ prefix }) => prefix);
    const found =
      of === "repositories"
        ? await treeNodes(repositoryPages(summary), prefixes)
        : known === undefined
          ? []
          : await treeNodes(leaves.pages(known.id, of, source), prefixes);
    for (const [i, question] of open.entries()) {
      answers.set(question, answerNode(question, found[i]));
    }
  }
  return nodes.map((question) => answers.get(question) ?? { is: "listed", leaves: [] });
}

function answerNode({ hash }: NodeQuestion, node: TreeNode | undefined): NodeAnswer {
  if ((node?.hash ?? "") === hash) return { is: "same" };
  if (node === undefined) return { is: "listed", leaves: [] };
  if (node.leaves !== undefined) return { is: "listed", leaves: [...node.leaves] };
  return { is: "divided", children: Object.fromEntries(node.children) };
}

async function answerStates(
  { metadata }: RegistryContext,
  { account, states }: Extract<VerificationQuestion, { ask: "states" }>,
): Promise<AnswerTo<"states">["states"]> {
  const answers: AnswerTo<"states">["states"] = [];
  for (const { repository, tags, manifests } of states) {
    const row = await selectRepository(metadata.read, account, repository);
    if (row === undefined) {
      answers.push({ tags: [], manifests: [] });
      continue;
    }
    const present = await selectPresentManifests(metadata.read, row.id, manifests);
    answers.push({
      tags: await selectTagStates(metadata.read, row.id, tags),
      manifests: present.map(({ digest }) => digest as Digest),
    });
  }
  return answers;
}

/** Reads blobs through. A damaged one goes into quarantine, so that it can be sent again. */
async function answerBlobs(
  context: RegistryContext,
  { blobs }: Extract<VerificationQuestion, { ask: "blobs" }>,
): Promise<AnswerTo<"blobs">["blobs"]> {
  const answers: AnswerTo<"blobs">["blobs"] = [];
  const startedAt = context.clock.now();
  for (const blob of blobs) {
    const late = Math.abs(context.clock.now() - startedAt) > blobsMilliseconds;
    if (late && answers.length > 0) break;
    if ((await context.blobs.stat(blob.digest)) === undefined) {
      answers.push("missing");
      continue;
    }
    const { outcome } = await scrubBlob(context, blob, async () => {});
    answers.push(
      outcome === "quarantined" ? "damaged" : outcome === "missing" ? "missing" : "intact",
    );
  }
  return answers;
}
