/** The reference of the protocols, as Markdown, from the tables that the server itself uses. */
import { operations } from "../aws/ecr/operations/index.ts";
import type { Endpoint } from "../oci/endpoint.ts";
import { endpoints } from "../oci/router.ts";
import { type FailureCode, failureCodes } from "../replication/failure.ts";

const paths: Record<Endpoint["route"], string> = {
  base: "/v2/",
  catalog: "/v2/_catalog",
  extensions: "/v2/_oci/ext/discover",
  blob: "/v2/<name>/blobs/<digest>",
  uploads: "/v2/<name>/blobs/uploads/",
  upload: "/v2/<name>/blobs/uploads/<upload>",
  manifest: "/v2/<name>/manifests/<reference>",
  tags: "/v2/<name>/tags/list",
  referrers: "/v2/<name>/referrers/<digest>",
};

export function ociPage(generated: string): string {
  const rows = endpoints.map(({ name, id, method, route, action }) => {
    const permission = action === undefined ? "any principal" : `\`${action}\``;
    return `| ${method} | \`${paths[route]}\` | \`${name}\` | ${id} | ${permission} |`;
  });
  return `# OCI Distribution API

${generated}

The endpoints of the [OCI Distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints), with
the specification's own number, the name that log and metrics use, and the IAM action that decides.
Every request needs Basic authentication: \`AWS\` and a token of GetAuthorizationToken, or an access key
id and its secret.

| Method | Path | Name | Specification | Permission |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

export function ecrPage(generated: string): string {
  const rows = Object.keys(operations).map(
    (name) =>
      `- [${name}](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_${name}.html)`,
  );
  return `# Amazon ECR API

${generated}

\`POST /\` with the JSON 1.1 protocol of AWS and Signature Version 4, as the AWS CLI and the AWS SDKs
send it. These operations are there; others are answered with \`UnknownOperationException\`.

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
is final ends the replication as \`FAILED\`; pushing the image again revives it.

| Code | Look at | Then | Meaning |
|---|---|---|---|
${rows.join("\n")}
`;
}

function consequence(code: FailureCode): string {
  const { terminal, opensCircuit } = failureCodes[code];
  if (terminal) return "final";
  return opensCircuit ? "tried again, the destination is probed" : "tried again";
}
