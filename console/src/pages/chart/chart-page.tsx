/** The start page: the regions, the routes from this one, and what would be lost with it. */
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { ChartAnswer, ChartRoute, LossFigure } from "../../../../src/console/api-types.ts";
import { api } from "../../api.ts";
import { useLive } from "../../live/live.tsx";
import { useFormat } from "../../parts/format.ts";
import { Problem } from "../../parts/problem.tsx";
import { Time, useNow } from "../../parts/time.tsx";
import { useTitle } from "../../parts/title.ts";
import { useAccount } from "../../shell/account.ts";
import { useText } from "../../text/text.tsx";
import { useQuery } from "../../use-query.ts";
import { placeOf, WorldMap } from "./world-map.tsx";

const indicators = {
  idle: "success",
  flowing: "in-progress",
  behind: "warning",
  unreachable: "error",
  unknown_region: "error",
} as const;

export default function ChartPage() {
  const text = useText();
  const { account } = useAccount();
  useTitle(text.chart.title);
  const query = useQuery(account, (signal) => api.get<ChartAnswer>("chart", { account }, signal));
  // Events have it newer than the answer to the question.
  const { chart: live } = useLive();
  const chart = live ?? query.data;
  const offMap = (chart?.regions ?? []).filter((region) => placeOf(region) === undefined);

  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={text.chart.description}>
        {text.chart.title}
      </Header>
      {query.error && <Problem error={query.error} onRetry={query.reload} />}
      {chart === undefined && query.loading && (
        <span role="status">
          <Spinner size="large" /> {text.loading}
        </span>
      )}
      {chart !== undefined && (
        <SpaceBetween size="l">
          <Loss loss={chart.loss} />
          {chart.regions.length === 0 ? (
            <Alert type="info" header={text.chart.alone}>
              {text.chart.aloneHint}
            </Alert>
          ) : (
            <Container>
              <SpaceBetween size="xs">
                <WorldMap chart={chart} />
                {offMap.length > 0 && (
                  <Box variant="small">
                    {text.chart.offMap} {offMap.map(({ name }) => name).join(", ")}
                  </Box>
                )}
              </SpaceBetween>
            </Container>
          )}
          <Routes chart={chart} account={account} />
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}

function Loss({ loss }: { loss: LossFigure }) {
  const text = useText();
  const format = useFormat();
  const nothing = loss.images === 0;
  return (
    <Container header={<Header variant="h2">{text.chart.loss}</Header>}>
      <SpaceBetween size="xs">
        <Box fontSize="heading-m" fontWeight="bold">
          <StatusIndicator type={nothing ? "success" : "warning"}>
            {nothing
              ? text.chart.lossNothing
              : text.chart.lossImages(format.count(loss.images), format.bytes(loss.bytes))}
          </StatusIndicator>
        </Box>
        {loss.oldestPushedAt !== undefined && (
          <span>
            {text.chart.lossSince} <Time at={loss.oldestPushedAt} />
          </span>
        )}
        {loss.repositoriesWithoutRule > 0 && (
          <StatusIndicator type="info">
            {text.chart.uncovered(format.count(loss.repositoriesWithoutRule))}
          </StatusIndicator>
        )}
      </SpaceBetween>
    </Container>
  );
}

function Routes({ chart, account }: { chart: ChartAnswer; account: string }) {
  const text = useText();
  const format = useFormat();
  const now = useNow(1000);
  // Between two events a lag grows with the clock.
  const passed = Math.max(0, now - chart.at);
  const lagOf = ({ lagMilliseconds }: ChartRoute) =>
    lagMilliseconds === 0 ? "–" : format.duration(lagMilliseconds + passed);
  return (
    <Table
      items={[...chart.routes]}
      trackBy={(route) => `${route.region} ${route.account}`}
      ariaLabels={{ tableLabel: text.chart.routes }}
      header={
        <Header variant="h2" counter={`(${format.count(chart.routes.length)})`}>
          {text.chart.routes}
        </Header>
      }
      columnDefinitions={[
        {
          id: "destination",
          header: text.chart.destination,
          isRowHeader: true,
          cell: (route) => (
            <>
              {route.account === account ? route.region : `${route.region} (${route.account})`}
              {!route.hasRule && <Box variant="small"> {text.chart.noRule}</Box>}
            </>
          ),
        },
        {
          id: "state",
          header: text.chart.state,
          cell: ({ state, unreachableSince }) => (
            <StatusIndicator type={indicators[state]}>
              {text.chart.states[state]}
              {unreachableSince !== undefined && (
                <>
                  {" "}
                  {text.chart.since} <Time at={unreachableSince} />
                </>
              )}
            </StatusIndicator>
          ),
        },
        { id: "lag", header: text.chart.lag, cell: lagOf },
        {
          id: "backlog",
          header: text.chart.backlog,
          cell: ({ backlogImages, backlogBytes }) =>
            backlogImages === 0
              ? "–"
              : text.chart.backlogValue(format.count(backlogImages), format.bytes(backlogBytes)),
        },
        {
          id: "failed",
          header: text.chart.failed,
          cell: ({ failedImages }) => (failedImages === 0 ? "–" : format.count(failedImages)),
        },
        {
          id: "flow",
          header: text.chart.flow,
          cell: ({ sentImages, sentBytes }) =>
            text.chart.flowValue(format.count(sentImages), format.bytes(sentBytes)),
        },
      ]}
      empty={
        <SpaceBetween size="xs">
          <b>{text.chart.noRoutes}</b>
          <span>{text.chart.noRoutesHint}</span>
        </SpaceBetween>
      }
    />
  );
}
