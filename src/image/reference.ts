/**
 * Names of repositories and tags.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 */

const namePattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Many clients cut off at 255 characters of host and name together; ECR allows 256 for the name. */
export const repositoryNameLengthLimit = 256;

export function isRepositoryName(text: string): boolean {
  return text.length <= repositoryNameLengthLimit && namePattern.test(text);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}
