/** The configuration of an image, its history, and names with values. All of it is a client's text. */
import Box from "@cloudscape-design/components/box";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import type { ReactNode } from "react";
import type { ImageConfig } from "../../../../src/console/api-types.ts";
import { Time } from "../../parts/time.tsx";
import { useText } from "../../text/text.tsx";

type Config = ImageConfig | undefined;

/** Undefined for what is no date. */
function millisecondsOf(date: string | undefined): number | undefined {
  const at = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(at) ? undefined : at;
}

function Lines({ values }: { values: readonly string[] }) {
  return <span className="code">{values.join("\n")}</span>;
}

export function Configuration({ config }: { config: Config }) {
  const text = useText();
  if (config === undefined) return <>{text.image.noConfiguration}</>;
  const names = text.image.fields;
  const fields: { label: string; value: ReactNode }[] = [];
  const add = (label: string, value: string | undefined) => {
    if (value !== undefined) fields.push({ label, value: <span className="code">{value}</span> });
  };
  const addList = (label: string, values: readonly string[]) => {
    if (values.length > 0) fields.push({ label, value: <Lines values={values} /> });
  };
  const created = millisecondsOf(config.created);
  if (created !== undefined) fields.push({ label: names.created, value: <Time at={created} /> });
  add(names.author, config.author);
  add(names.platform, [config.os, config.architecture].filter(Boolean).join("/") || undefined);
  add(names.user, config.user);
  add(names.workingDirectory, config.workingDirectory);
  addList(names.entrypoint, config.entrypoint);
  addList(names.command, config.command);
  addList(names.exposedPorts, config.exposedPorts);
  addList(names.environment, config.environment);
  return (
    <SpaceBetween size="l">
      <KeyValuePairs columns={3} items={fields} />
      {Object.keys(config.labels).length > 0 && (
        <SpaceBetween size="xs">
          <Box variant="h3">{text.image.labels}</Box>
          <Annotations values={config.labels} />
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}

export function History({ config }: { config: Config }) {
  const text = useText();
  const history = config?.history ?? [];
  return (
    <Table
      variant="embedded"
      wrapLines
      items={history.map((entry, index) => ({ ...entry, number: index + 1 }))}
      ariaLabels={{ tableLabel: text.image.history }}
      empty={text.image.noHistory}
      columnDefinitions={[
        { id: "number", header: text.image.step, isRowHeader: true, cell: ({ number }) => number },
        {
          id: "created",
          header: text.image.fields.created,
          cell: ({ created }) => <Time at={millisecondsOf(created)} />,
        },
        {
          id: "by",
          header: text.image.createdBy,
          cell: ({ createdBy, comment, isEmptyLayer }) => (
            <>
              <span className="code">{createdBy ?? comment ?? "–"}</span>
              {isEmptyLayer && <Box variant="small">{text.image.emptyLayer}</Box>}
            </>
          ),
        },
      ]}
    />
  );
}

export function Annotations({ values }: { values: Readonly<Record<string, string>> }) {
  const text = useText();
  const entries = Object.entries(values);
  if (entries.length === 0) return <>{text.image.noAnnotations}</>;
  return (
    <KeyValuePairs
      columns={2}
      items={entries.map(([name, value]) => ({
        label: name,
        value: <span className="code">{value}</span>,
      }))}
    />
  );
}
