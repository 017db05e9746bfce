/** The program that reaches other machines, with its first arguments: `TSOS_SSH`, else ssh. */
export function sshCommand(env: NodeJS.ProcessEnv): readonly string[] {
  const words = (env["TSOS_SSH"] ?? "").split(/\s+/).filter((word) => word !== "");
  return words.length === 0 ? ["ssh"] : words;
}
