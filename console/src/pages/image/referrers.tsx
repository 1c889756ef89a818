/** What refers to an image, and what refers to that, as far as somebody unfolds it. */

import type { ImageReferrer, ListImageReferrersResponse } from "@aws-sdk/client-ecr";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useCallback, useEffect, useState } from "react";
import { ecr } from "../../api.ts";
import { useFormat } from "../../parts/format.ts";
import { Problem } from "../../parts/problem.tsx";
import { addresses, useLink } from "../../router.tsx";
import { useText } from "../../text/text.tsx";
import { shortDigest } from "../images/image-names.ts";
import { Annotations } from "./configuration.tsx";

interface ReferrersProps {
  readonly account: string;
  readonly repository: string;
  readonly subject: string;
}

export function Referrers({ account, repository, subject }: ReferrersProps) {
  const text = useText();
  const [referrers, setReferrers] = useState<readonly ImageReferrer[]>();
  const [next, setNext] = useState<string>();
  const [error, setError] = useState<Error>();

  const load = useCallback(
    async (nextToken: string | undefined) => {
      setError(undefined);
      try {
        const answer = await ecr<ListImageReferrersResponse>("ListImageReferrers", {
          registryId: account,
          repositoryName: repository,
          subjectId: { imageDigest: subject },
          filter: { artifactStatus: "ANY" },
          ...(nextToken !== undefined && { nextToken }),
        });
        const found = answer.referrers ?? [];
        setReferrers((before) => (nextToken === undefined ? found : [...(before ?? []), ...found]));
        setNext(answer.nextToken);
      } catch (problem) {
        setError(problem instanceof Error ? problem : new Error(String(problem)));
      }
    },
    [account, repository, subject],
  );
  useEffect(() => void load(undefined), [load]);

  if (error) return <Problem error={error} onRetry={() => void load(next)} />;
  if (referrers === undefined) return <Spinner />;
  return (
    <SpaceBetween size="s">
      <Box color="text-body-secondary">{text.image.referrersHint}</Box>
      {referrers.length === 0 && <b>{text.image.noReferrers}</b>}
      {referrers.map((referrer) => (
        <Referrer
          key={referrer.digest}
          account={account}
          repository={repository}
          referrer={referrer}
        />
      ))}
      {next !== undefined && (
        <Button onClick={() => void load(next)}>{text.image.moreReferrers}</Button>
      )}
    </SpaceBetween>
  );
}

function Referrer(props: { account: string; repository: string; referrer: ImageReferrer }) {
  const { account, repository, referrer } = props;
  const text = useText();
  const format = useFormat();
  const link = useLink();
  const [isOpen, setOpen] = useState(false);
  const digest = referrer.digest ?? "";
  return (
    <ExpandableSection
      headerText={referrer.artifactType ?? referrer.mediaType ?? shortDigest(digest)}
      headerDescription={`${shortDigest(digest)}, ${format.bytes(referrer.size ?? 0)}`}
      expanded={isOpen}
      onChange={({ detail }) => setOpen(detail.expanded)}
    >
      {isOpen && (
        <SpaceBetween size="s">
          <Link {...link(addresses.image(repository, digest))}>{digest}</Link>
          <Annotations values={referrer.annotations ?? {}} />
          <Box variant="h4">{text.image.referrers}</Box>
          <Referrers account={account} repository={repository} subject={digest} />
        </SpaceBetween>
      )}
    </ExpandableSection>
  );
}
