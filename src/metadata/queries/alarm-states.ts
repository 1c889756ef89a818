/** Queries on the states of alarms. */
import type { Queryable, Transaction } from "../metadata-store.ts";

export interface AlarmStateRow {
  /** The kind and what it is about: `replication-lag eu-west-1/111122223333`. */
  name: string;
  account: string;
  state: string;
  since: number;
  reason: string;
}

export function selectAlarmStates(db: Queryable): Promise<AlarmStateRow[]> {
  return db.all<AlarmStateRow>(
    "select name, account, state, since, reason from alarm_states order by name",
  );
}

/** False when it is in that state already. */
export async function changeAlarmState(tx: Transaction, row: AlarmStateRow): Promise<boolean> {
  const rows = await tx.all(
    `insert into alarm_states (name, account, state, since, reason) values ($1, $2, $3, $4, $5)
     on conflict (name) do update
     set account = excluded.account, state = excluded.state, since = excluded.since,
         reason = excluded.reason
     where alarm_states.state <> excluded.state
     returning name`,
    [row.name, row.account, row.state, row.since, row.reason],
  );
  return rows.length > 0;
}
