import { getLibFiles, libFolderInMemoryPath, ts } from "@ts-morph/common";

/** The files that a program is made of. */
export type CompilerSystem = Required<Pick<ts.CompilerHost, "fileExists" | "readFile" | "directoryExists" | "getDirectories" | "realpath">>;

/** ts-morph's compiler carries the language's own declarations with it: they are read from memory. */
export function createCompilerHost(options: ts.CompilerOptions, system: CompilerSystem, jsDocParsingMode = ts.JSDocParsingMode.ParseForTypeErrors): ts.CompilerHost {
  const libraries = new Map(getLibFiles().map((file) => [`${libFolderInMemoryPath}/${file.fileName}`, file.text]));
  const readFile = (name: string): string | undefined => libraries.get(name) ?? system.readFile(name);
  return {
    ...ts.createCompilerHost(options, true),
    directoryExists: system.directoryExists,
    getDirectories: system.getDirectories,
    realpath: system.realpath,
    useCaseSensitiveFileNames: () => true,
    getDefaultLibLocation: () => libFolderInMemoryPath,
    getDefaultLibFileName: (chosen) => `${libFolderInMemoryPath}/${ts.getDefaultLibFileName(chosen)}`,
    fileExists: (name) => libraries.has(name) || system.fileExists(name),
    readFile,
    getSourceFile: (name, version) => {
      const text = readFile(name);
      return text === undefined ? undefined : ts.createSourceFile(name, text, typeof version === "object" ? { ...version, jsDocParsingMode } : { languageVersion: version, jsDocParsingMode }, false);
    },
  };
}
