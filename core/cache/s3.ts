import { readFile } from "node:fs/promises";
import { join } from "node:path";
import aws4 from "aws4";
import { TsosError } from "../error/tsos-error.ts";
import type { CacheUrl } from "./cache-url.ts";
import type { Authorize } from "./http-transport.ts";

type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string | undefined };

/**
 * A bucket as a place behind HTTP, and how its requests are signed (version 4). Keys come from `AWS_ACCESS_KEY_ID`
 * and `AWS_SECRET_ACCESS_KEY`, or from the profile in `~/.aws/credentials`; without any, requests are not signed,
 * which a public bucket takes.
 */
export async function findS3(url: CacheUrl, environment: Readonly<Record<string, string | undefined>>): Promise<{ readonly address: URL; readonly authorize: Authorize | undefined }> {
  const bucket = url.address.host;
  if (bucket === "") throw new TsosError({ code: "cache.bad-url", message: `"${url.address.href}" names no bucket`, hint: "expected s3://BUCKET" });
  const region = url.region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  const prefix = url.address.pathname.replace(/\/+$/, "");
  // A server of one's own rarely has a name for each bucket.
  const address = url.endpoint === undefined ? new URL(`https://${bucket}.s3.${region}.amazonaws.com${prefix}`) : new URL(`${url.endpoint.replace(/\/+$/, "")}/${bucket}${prefix}`);
  const credentials = await findCredentials(url.profile, environment);
  if (credentials === undefined) return { address, authorize: undefined };
  return {
    address,
    authorize: ({ method, url: target }) => {
      const signed = aws4.sign({ service: "s3", region, host: target.host, method, path: target.pathname + target.search, headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } }, credentials);
      return Object.fromEntries(Object.entries(signed.headers ?? {}).flatMap(([name, value]) => (value === undefined || name.toLowerCase() === "host" ? [] : [[name, String(value)]])));
    },
  };
}

async function findCredentials(profile: string | undefined, environment: Readonly<Record<string, string | undefined>>): Promise<Credentials | undefined> {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  if (profile === undefined && accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, sessionToken: environment["AWS_SESSION_TOKEN"] };
  const home = environment["HOME"];
  const file = environment["AWS_SHARED_CREDENTIALS_FILE"] ?? (home === undefined ? undefined : join(home, ".aws/credentials"));
  const text = file === undefined ? undefined : await readFile(file, "utf8").catch(() => undefined);
  const name = profile ?? environment["AWS_PROFILE"] ?? "default";
  const found = text === undefined ? undefined : readProfile(text, name);
  if (found === undefined && profile !== undefined) {
    throw new TsosError({ code: "cache.no-credentials", message: `there are no credentials of the profile "${profile}"`, hint: `"${file ?? "~/.aws/credentials"}" would hold them` });
  }
  return found;
}

function readProfile(text: string, wanted: string): Credentials | undefined {
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[(?:profile\s+)?([^\]]+)\]/.exec(line);
    if (header !== null) section = header[1]!.trim();
    const pair = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line);
    if (pair !== null && section === wanted) values.set(pair[1]!, pair[2]!);
  }
  const [accessKeyId, secretAccessKey] = [values.get("aws_access_key_id"), values.get("aws_secret_access_key")];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: values.get("aws_session_token") };
}
