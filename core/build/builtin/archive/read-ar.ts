import { TsosError } from "../../../error/tsos-error.ts";
import { bytesToByteString } from "../../../util/bytes.ts";

/** A member of an ar archive and where its bytes lie in the archive. */
export type ArMember = { readonly name: string; readonly start: number; readonly end: number };

/**
 * The members of an ar archive in the form that Debian packages have.
 *
 * @throws TsosError `archive.invalid` when it is none.
 */
export function readAr(archive: Uint8Array): readonly ArMember[] {
  if (bytesToByteString(archive.subarray(0, 8)) !== "!<arch>\n") throw invalid("it does not begin with the mark of an archive");
  const members: ArMember[] = [];
  for (let at = 8; at < archive.length; ) {
    const header = bytesToByteString(archive.subarray(at, at + 60));
    const size = /^(\d+) *$/.exec(header.slice(48, 58));
    if (header.length < 60 || header.slice(58) !== "`\n" || size === null) throw invalid(`the header at ${at} is broken`);
    const start = at + 60;
    const end = start + Number(size[1]);
    if (end > archive.length) throw invalid(`it ends inside its member at ${at}`);
    members.push({ name: header.slice(0, 16).trimEnd().replace(/\/$/, ""), start, end });
    at = end + (end % 2);
  }
  return members;
}

function invalid(reason: string): TsosError {
  return new TsosError({ code: "archive.invalid", message: `the ar archive is broken: ${reason}` });
}
