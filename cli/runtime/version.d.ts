/** tsos's version, which the build puts in. */
declare const TSOS_VERSION: string;
