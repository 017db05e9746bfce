import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { findNumber, findText, getText, sortAttributes, withoutAttributes, type SourceAttributes } from "./attributes.ts";
import { isLegalRefName } from "./ref-name.ts";
import { runHg } from "./run-hg.ts";
import type { SourceContext, SourceScheme } from "./scheme.ts";
import { formatSourceUrl, hidePassword, parseSourceUrl } from "./source-url.ts";

/** A Mercurial repository: `hg+https://…`, `hg+ssh://…`, `hg+file:///…`. Nix: libfetchers/mercurial.cc */
export const hgScheme: SourceScheme = {
  type: "hg",
  allowed: new Set(["url", "ref", "rev", "revCount", "narHash", "name"]),
  fromUrl(url) {
    if (!["hg+http", "hg+https", "hg+ssh", "hg+file"].includes(url.scheme)) return undefined;
    const { rev, ref, ...query } = url.query;
    return hgScheme.check({ type: "hg", url: formatSourceUrl({ ...url, scheme: url.scheme.slice("hg+".length), query, fragment: undefined }), ...(rev === undefined ? {} : { rev }), ...(ref === undefined ? {} : { ref }) });
  },
  check(attributes) {
    parseSourceUrl(getText(attributes, "url"));
    const ref = findText(attributes, "ref");
    if (ref !== undefined && !isLegalRefName(ref)) throw bad(`invalid Mercurial branch/tag name '${ref}'`);
    findNumber(attributes, "revCount");
    return sortAttributes(attributes);
  },
  toUrl(attributes) {
    const url = parseSourceUrl(getText(attributes, "url"));
    const query = { ...url.query };
    for (const name of ["rev", "ref"]) if (attributes[name] !== undefined) query[name] = String(attributes[name]);
    return { ...url, scheme: `hg+${url.scheme}`, query };
  },
  isLocked: (attributes) => attributes["rev"] !== undefined,
  override: (attributes, ref, rev) => sortAttributes({ ...attributes, ...(rev === undefined ? {} : { rev }), ...(ref === undefined ? {} : { ref }) }),
  async fetch(attributes, context) {
    const url = getText(attributes, "url");
    const { scheme, path } = parseSourceUrl(url);
    const local = scheme === "file" ? path : undefined;
    const rev = findText(attributes, "rev");
    const ref = findText(attributes, "ref");
    if (rev !== undefined && !/^[0-9a-f]{40}$/i.test(rev)) throw bad(`hash '${rev}' is not supported by Mercurial. Only sha1 is supported.`);
    if (local !== undefined && rev === undefined && ref === undefined && existsSync(join(local, ".hg"))) {
      const changed = await runHg(["status", "-R", local, "--modified", "--added", "--removed"], context);
      if (changed.length > 0) return fetchUnclean(attributes, local, context);
    }
    let found: SourceAttributes = {};
    const added = await context.cache.addTree(async (target) => {
      const clone = `${target}.hg`;
      try {
        await runHg(["clone", "--noupdate", "--", local ?? url, clone], context);
        const log = (await runHg(["log", "-R", clone, "-r", rev ?? ref ?? "default", "--template", "{node} {rev} {branch}"], context)).toString("utf8");
        const [node, count, ...branch] = log.split(" ") as [string, string, ...string[]];
        await runHg(["archive", "-R", clone, "-r", node, target], context);
        rmSync(join(target, ".hg_archival.txt"), { force: true });
        found = { rev: node, revCount: Number(count), ref: branch.join(" ") };
        return target;
      } finally {
        rmSync(clone, { recursive: true, force: true });
      }
    }, context.signal);
    return { ...added, attributes: sortAttributes({ ...withoutAttributes(attributes, "ref", "rev"), ...found }) };
  },
};

/** What is tracked of a working tree with changes, as it is. */
async function fetchUnclean(attributes: SourceAttributes, path: string, context: SourceContext): ReturnType<SourceScheme["fetch"]> {
  context.warn(`Mercurial tree '${path}' is unclean`);
  const ref = (await runHg(["branch", "-R", path], context)).toString("utf8").trim();
  const files = (await runHg(["status", "-R", path, "--clean", "--modified", "--added", "--no-status", "--print0"], context)).toString("utf8").split("\0").filter((file) => file !== "");
  const added = await context.cache.addTree(async (target) => {
    mkdirSync(target, { recursive: true });
    for (const file of files) {
      mkdirSync(dirname(join(target, file)), { recursive: true });
      cpSync(join(path, file), join(target, file), { verbatimSymlinks: true });
    }
    return target;
  }, context.signal);
  return { ...added, attributes: sortAttributes({ ...attributes, ref }) };
}

function bad(message: string): TsosError {
  return new TsosError({ code: "source.bad-input", message: hidePassword(message) });
}
