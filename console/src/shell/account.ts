/** Whose registry is looked at. */
import { useRouter } from "../router.tsx";
import { useSession } from "../session.ts";

export function useAccount(): { account: string; isOwn: boolean } {
  const { query } = useRouter();
  const own = useSession().session.principal.account;
  const asked = query.get("account");
  const account = asked !== null && /^[0-9]{12}$/.test(asked) ? asked : own;
  return { account, isOwn: account === own };
}
