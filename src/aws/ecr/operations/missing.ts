/** Operations of Amazon ECR that are not here yet, with what they wait for. */
export const missingOperations: Readonly<Record<string, string>> = {
  CreatePullThroughCacheRule: "the rules and the cache are not written yet",
  DeletePullThroughCacheRule: "the rules and the cache are not written yet",
  DescribePullThroughCacheRules: "the rules and the cache are not written yet",
  UpdatePullThroughCacheRule: "the rules and the cache are not written yet",
  ValidatePullThroughCacheRule: "the rules and the cache are not written yet",
};
