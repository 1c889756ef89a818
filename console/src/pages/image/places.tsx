/** Where an image is: a row for each destination, with what it took or what keeps it. */
import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useEffect } from "react";
import type { ImagePlace, ImagePlacesAnswer } from "../../../../src/console/api-types.ts";
import { api } from "../../api.ts";
import { useLive } from "../../live/live.tsx";
import { useFormat } from "../../parts/format.ts";
import { Problem } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { useText } from "../../text/text.tsx";
import { useQuery } from "../../use-query.ts";

const indicators = { pending: "in-progress", complete: "success", failed: "error" } as const;

export function Places(props: { account: string; repository: string; digest: string }) {
  const { account, repository, digest } = props;
  const text = useText();
  const format = useFormat();
  const { chart } = useLive();
  const query = useQuery(`${account} ${repository} ${digest}`, (signal) =>
    api.get<ImagePlacesAnswer>("image-places", { account, repository, digest }, signal),
  );
  const { reload, data } = query;
  const isPending = data?.places.some(({ state }) => state === "pending") === true;
  // The routes moved: perhaps this image did.
  useEffect(() => {
    if (chart !== undefined && isPending) reload();
  }, [chart, isPending, reload]);

  if (query.error) return <Problem error={query.error} onRetry={reload} />;
  return (
    <Table
      items={[...(data?.places ?? [])]}
      trackBy={({ region, account, tag }) => `${region} ${account} ${tag}`}
      loading={data === undefined}
      loadingText={text.loading}
      wrapLines
      ariaLabels={{ tableLabel: text.image.where }}
      header={
        <Header variant="h2" description={text.image.whereHint}>
          {text.image.where}
        </Header>
      }
      columnDefinitions={[
        {
          id: "region",
          header: text.image.region,
          isRowHeader: true,
          cell: (place) =>
            place.account === account ? place.region : `${place.region} (${place.account})`,
        },
        {
          id: "tag",
          header: text.image.tags,
          cell: ({ tag }) => tag ?? text.image.byDigest,
        },
        {
          id: "state",
          header: text.image.state,
          cell: ({ state }) => (
            <StatusIndicator type={indicators[state]}>{text.image.states[state]}</StatusIndicator>
          ),
        },
        {
          id: "arrived",
          header: text.image.arrived,
          cell: ({ completedAt }) => <Time at={completedAt} />,
        },
        {
          id: "lag",
          header: text.image.lag,
          cell: ({ lagMilliseconds }) => format.duration(lagMilliseconds),
        },
        {
          id: "bytes",
          header: text.image.bytes,
          cell: ({ bytesSent, bytesRemaining, state }) => (
            <>
              {format.bytes(bytesSent)}
              {state !== "complete" && bytesRemaining > 0 && (
                <Box variant="small"> {text.image.remaining(format.bytes(bytesRemaining))}</Box>
              )}
            </>
          ),
        },
        {
          id: "attempts",
          header: text.image.attempts,
          cell: ({ attempts }) => format.count(attempts),
        },
        { id: "failure", header: text.image.failure, cell: (place) => <Failure place={place} /> },
      ]}
      empty={
        <SpaceBetween size="xs">
          <b>{text.image.whereEmpty}</b>
          <span>{text.image.whereEmptyHint}</span>
        </SpaceBetween>
      }
    />
  );
}

function Failure({ place: { failure, state } }: { place: ImagePlace }) {
  const text = useText();
  if (failure === undefined || state === "complete") return <>–</>;
  return (
    <>
      <span className="code">{failure.code}</span>, {text.image.sides[failure.side]},{" "}
      <Time at={failure.at} />
      <Box variant="small">
        <div>{failure.text}</div>
      </Box>
    </>
  );
}
