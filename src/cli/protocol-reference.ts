/** The reference of the protocols, as Markdown, from the tables that the server itself uses. */
import { ecrDifferences } from "../aws/ecr/differences.ts";
import { operations } from "../aws/ecr/operations/index.ts";
import { type FailureCode, failureCodes } from "../replication/failure.ts";

export function ecrPage(generated: string): string {
  const rows = Object.keys(operations).map((name) => {
    const page = `https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_${name}.html`;
    const difference = ecrDifferences[name];
    const state = difference === undefined ? "works" : "differs";
    return `| [${name}](${page}) | ${state} | ${difference ?? ""} |`;
  });
  return `# Amazon ECR API

${generated}

\`POST /\` with the JSON 1.1 protocol of AWS and Signature Version 4, as the AWS CLI and the AWS SDKs
send it: every operation of its newest version.

| Operation | | What to know |
|---|---|---|
${rows.join("\n")}
`;
}

export function replicationFailuresPage(generated: string): string {
  const rows = Object.entries(failureCodes).map(([code, kind]) => {
    return `| \`${code}\` | ${kind.side} | ${consequence(code as FailureCode)} | ${kind.meaning} |`;
  });
  return `# Failure codes of replication

${generated}

The \`failureCode\` of DescribeImageReplicationStatus, and the \`code\` of log and metrics. A failure that
is final ends the replication as \`FAILED\`; \`portolan replication retry\` or another push revives it.

| Code | Look at | Then | Meaning |
|---|---|---|---|
${rows.join("\n")}
`;
}

function consequence(code: FailureCode): string {
  const { terminal, opensCircuit, refusal } = failureCodes[code];
  if (terminal) return "final";
  if (refusal) return "refused; asked again at most every 30 seconds";
  return opensCircuit ? "tried again, the destination is probed" : "tried again";
}
