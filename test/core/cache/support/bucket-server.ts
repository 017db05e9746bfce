/** A server of buckets on loopback, kept in memory: GET, HEAD and PUT of objects, each signed by version 4 of AWS's protocol, or refused. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export type BucketServer = AsyncDisposable & {
  readonly endpoint: string;
  /** Path (`/bucket/key`) → contents. */
  readonly objects: Map<string, Buffer>;
  /** Why requests were refused. */
  readonly refusals: string[];
};

export type BucketServerOptions = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly sessionToken?: string | undefined;
  /** Requests without a signature are taken too. */
  readonly isPublic?: boolean;
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text, "utf8").digest();
const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** All but letters, digits and `-._~`, each byte; of a path not the slashes. */
const encode = (text: string, isPath: boolean): string =>
  [...Buffer.from(text)].map((byte) => (/[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte)) || (isPath && byte === 0x2f) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)).join("");

/** @returns what is wrong with the signature; undefined for a right one */
export function findSignatureFault(request: IncomingMessage, body: Buffer, { accessKeyId, secretAccessKey, region, sessionToken }: BucketServerOptions): string | undefined {
  const header = (name: string): string => String(request.headers[name] ?? "");
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(header("authorization"));
  if (match === null) return `no signature: "${header("authorization")}"`;
  const [, key, day, place, names, signature] = match as unknown as [string, string, string, string, string, string];
  if (key !== accessKeyId) return `the key "${key}"`;
  if (place !== region) return `the region "${place}"`;
  const date = header("x-amz-date");
  if (!date.startsWith(day) || Math.abs(Date.now() - Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))) > 900_000) return `the date "${date}"`;
  const signed = names.split(";");
  if (!signed.includes("host")) return "the host is not signed";
  // Every header of the service's own has to be.
  const loose = Object.keys(request.headers).find((name) => name.startsWith("x-amz-") && !signed.includes(name));
  if (loose !== undefined) return `the header "${loose}" is not signed`;
  if (sessionToken !== undefined && header("x-amz-security-token") !== sessionToken) return "another session";
  const payload = header("x-amz-content-sha256");
  if (payload !== "UNSIGNED-PAYLOAD" && payload !== sha256(body)) return `the payload is not "${payload}"`;
  const url = new URL(request.url ?? "/", "http://localhost");
  const query = [...url.searchParams].map(([name, value]) => `${encode(name, false)}=${encode(value, false)}`).sort().join("&");
  const headers = signed.map((name) => `${name}:${header(name).trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = [request.method, encode(decodeURIComponent(url.pathname), true), query, headers, names, payload].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const secret = [region, "s3", "aws4_request"].reduce((part: Buffer, text) => hmac(part, text), hmac(`AWS4${secretAccessKey}`, day));
  const wanted = hmac(secret, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n"));
  return timingSafeEqual(wanted, Buffer.from(signature, "hex")) ? undefined : "the signature";
}

export async function startBucketServer(options: BucketServerOptions): Promise<BucketServer> {
  const objects = new Map<string, Buffer>();
  const refusals: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const body = Buffer.concat(parts);
      const fault = options.isPublic === true && request.headers.authorization === undefined ? undefined : findSignatureFault(request, body, options);
      if (fault !== undefined) {
        refusals.push(`${request.method} ${request.url}: ${fault}`);
        return response.writeHead(403).end();
      }
      const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
      if (request.method === "PUT") {
        objects.set(path, body);
        return response.writeHead(200).end();
      }
      const found = objects.get(path);
      if (found === undefined) return response.writeHead(404, { "content-type": "application/xml" }).end(request.method === "HEAD" ? undefined : "<Error><Code>NoSuchKey</Code></Error>");
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = start > 0 ? { "content-range": `bytes ${start}-${found.length - 1}/${found.length}` } : {};
      response.writeHead(start > 0 ? 206 : 200, { "content-length": found.length - start, ...range });
      response.end(request.method === "HEAD" ? undefined : found.subarray(start));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    refusals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
