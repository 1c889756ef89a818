/** The bar above: region, account, preferences, and whoever is signed in. */
import TopNavigation, {
  type TopNavigationProps,
} from "@cloudscape-design/components/top-navigation";
import { useState } from "react";
import { announceSignedOut, api } from "../api.ts";
import { addresses, useLink, useRouter } from "../router.tsx";
import { useSession } from "../session.ts";
import { useText } from "../text/text.tsx";
import { useAccount } from "./account.ts";
import { AccountDialog } from "./account-dialog.tsx";
import { useNotices } from "./notices.tsx";
import { PreferencesDialog } from "./preferences-dialog.tsx";
import { RoleDialog } from "./role-dialog.tsx";

type Dialog = "account" | "preferences" | "role";

/** `arn:aws:iam::111122223333:user/jo` is shown as `user/jo`. */
function shortName(arn: string): string {
  return arn.split(":").slice(5).join(":");
}

export function TopBar() {
  const text = useText();
  const link = useLink();
  const { navigate } = useRouter();
  const { session, reload } = useSession();
  const { account, isOwn } = useAccount();
  const { add } = useNotices();
  const [dialog, setDialog] = useState<Dialog>();
  const { principal } = session;

  async function attempt(work: () => Promise<unknown>) {
    try {
      await work();
    } catch (error) {
      add("error", error instanceof Error ? error.message : String(error));
    }
  }
  async function signOut(everywhere: boolean) {
    await api.delete("session", { everywhere });
    announceSignedOut();
  }

  const regions: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    text: session.region,
    iconName: "globe",
    ariaLabel: `${text.shell.region}: ${session.region}`,
    description: text.shell.regionNote,
    items: session.regions.map(({ name, endpoint }) => ({
      id: name,
      text: name,
      disabled: name === session.region,
      ...(name === session.region
        ? { description: text.shell.regionHere }
        : { href: `${endpoint}/console/`, external: true }),
    })),
  };
  const accounts: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    text: account,
    ariaLabel: `${text.shell.account}: ${account}`,
    items: [
      {
        id: "own",
        text: `${principal.account} (${text.shell.ownAccount})`,
        disabled: isOwn,
      },
      { id: "another", text: text.shell.switchAccount },
    ],
    onItemClick: ({ detail }) => {
      if (detail.id === "another") setDialog("account");
      else navigate(`${addresses.chart()}?account=${principal.account}`);
    },
  };
  const person: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    text: shortName(principal.arn),
    description: principal.arn,
    iconName: "user-profile",
    items: [
      ...(principal.kind === "root"
        ? []
        : session.signedInArn === undefined
          ? [{ id: "role", text: text.shell.assumeRole }]
          : [{ id: "leave", text: text.shell.leaveRole }]),
      { id: "sign-out", text: text.shell.signOut },
      { id: "everywhere", text: text.shell.signOutEverywhere },
    ],
    onItemClick: ({ detail }) => {
      if (detail.id === "role") setDialog("role");
      else if (detail.id === "leave") {
        void attempt(async () => {
          await api.delete("session/role");
          await reload();
        });
      } else void attempt(() => signOut(detail.id === "everywhere"));
    },
  };
  const close = () => setDialog(undefined);
  return (
    <>
      <div id="shell-header">
        <TopNavigation
          identity={{ ...link(addresses.chart()), title: text.product }}
          utilities={[
            ...(session.regions.length > 0 ? [regions] : []),
            accounts,
            {
              type: "button",
              iconName: "settings",
              ariaLabel: text.shell.preferences,
              title: text.shell.preferences,
              onClick: () => setDialog("preferences"),
            },
            person,
          ]}
        />
      </div>
      {dialog === "account" && <AccountDialog onDismiss={close} />}
      {dialog === "preferences" && <PreferencesDialog onDismiss={close} />}
      {dialog === "role" && <RoleDialog onDismiss={close} />}
    </>
  );
}
