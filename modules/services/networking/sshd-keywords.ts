import { option, types } from "../../../core/index.ts";

const line = types.singleLineStr;
const listed = types.nullOr(types.oneOf([line, types.listOf(types.strMatching(/\S+/))]));

const keyword = (description: string) => option(types.nullOr(types.oneOf([types.bool, types.int, line])), { default: null, description });
const flag = (description: string) => option(types.nullOr(types.either(types.bool, types.enum(["yes", "no"]))), { default: null, description });
const number = (description: string) => option(types.nullOr(types.ints.unsigned), { default: null, description });
/** A list is joined by commas, as in `Ciphers`. */
const algorithms = (description: string) => option(listed, { default: null, description });
/** A list is joined by blanks, as in `AllowUsers`. */
const words = (description: string) => option(listed, { default: null, description });
const choice = <const T extends string>(values: readonly T[], description: string) => option(types.nullOr(types.enum(values)), { default: null, description });
/** yes and no as switches, beside other words. */
const switchOr = <const T extends string>(values: readonly T[], description: string) => option(types.nullOr(types.either(types.bool, types.enum(["yes", "no", ...values]))), { default: null, description });

/** The keywords of sshd_config(5), as the OS root's OpenSSH 10 knows them, but those that have options of their own. */
export const sshdKeywords = {
  AcceptEnv: words("Variables of the client that sessions get."),
  AddressFamily: choice(["any", "inet", "inet6"], "IPv4, IPv6 or both."),
  AllowAgentForwarding: flag("Whether agents may be forwarded."),
  AllowGroups: words("Groups that alone may log in."),
  AllowStreamLocalForwarding: switchOr(["all", "local", "remote"], "Whether sockets may be forwarded."),
  AllowTcpForwarding: switchOr(["all", "local", "remote"], "Whether TCP may be forwarded."),
  AllowUsers: words("Users that alone may log in."),
  AuthenticationMethods: words("What must succeed for a login."),
  AuthorizedPrincipalsCommand: keyword("A program that lists principals of certificates."),
  AuthorizedPrincipalsCommandUser: keyword("The user that it runs as."),
  AuthorizedPrincipalsFile: keyword("A file that lists principals of certificates."),
  CASignatureAlgorithms: algorithms("Algorithms with which authorities may sign certificates."),
  ChannelTimeout: words("When idle channels are closed."),
  ChrootDirectory: keyword("The folder that sessions are shut in."),
  Ciphers: algorithms("Ciphers that are spoken."),
  ClientAliveCountMax: number("How many questions a client may leave unanswered."),
  ClientAliveInterval: keyword("How often a silent client is asked whether it is there."),
  Compression: switchOr(["delayed"], "Whether data is compressed."),
  DebianBanner: flag("Whether the version names Debian."),
  DenyGroups: words("Groups that may not log in."),
  DenyUsers: words("Users that may not log in."),
  DisableForwarding: flag("Whether no kind of forwarding is allowed."),
  ExposeAuthInfo: flag("Whether sessions see how they were authenticated."),
  FingerprintHash: choice(["md5", "sha256"], "How fingerprints are logged."),
  ForceCommand: keyword("A command that runs instead of the one asked for."),
  GatewayPorts: switchOr(["clientspecified"], "Whether forwarded ports listen on the network."),
  GSSAPIAuthentication: flag("Whether GSSAPI may authenticate."),
  GSSAPICleanupCredentials: flag("Whether credentials go with the session."),
  GSSAPIKexAlgorithms: algorithms("GSSAPI key exchanges."),
  GSSAPIKeyExchange: flag("Whether keys are exchanged by GSSAPI."),
  GSSAPIStoreCredentialsOnRekey: flag("Whether renewed credentials are stored."),
  GSSAPIStrictAcceptorCheck: flag("Whether the client must name this host."),
  HostbasedAcceptedAlgorithms: algorithms("Signatures for host based authentication."),
  HostbasedAuthentication: flag("Whether hosts may vouch for their users."),
  HostbasedUsesNameFromPacketOnly: flag("Whether the client's word for its name is taken."),
  HostCertificate: keyword("A certificate of a host key."),
  HostKeyAgent: keyword("The socket of an agent that has the host keys."),
  HostKeyAlgorithms: algorithms("Host key signatures that are offered."),
  IgnoreRhosts: switchOr(["shosts-only"], "Whether .rhosts files are ignored."),
  IgnoreUserKnownHosts: flag("Whether users' known_hosts are ignored."),
  Include: keyword("Further files."),
  IPQoS: words("The type of service of connections."),
  KbdInteractiveAuthentication: flag("Whether PAM may ask its questions."),
  KerberosAuthentication: flag("Whether passwords are checked by Kerberos."),
  KerberosOrLocalPasswd: flag("Whether local passwords are tried as well."),
  KerberosTicketCleanup: flag("Whether tickets go with the session."),
  KexAlgorithms: algorithms("Key exchanges."),
  LoginGraceTime: keyword("How long a login may take."),
  LogLevel: choice(["QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3"], "How much is logged."),
  LogVerbose: words("What is logged in full."),
  Macs: algorithms("Message authentication codes."),
  MaxAuthTries: number("How often a connection may try to log in."),
  MaxSessions: number("Sessions of one connection."),
  MaxStartups: keyword("Connections that are not logged in yet."),
  ModuliFile: keyword("Groups for the key exchange of Diffie and Hellman."),
  PAMServiceName: keyword("The service in /etc/pam.d."),
  PasswordAuthentication: flag("Whether passwords may log in."),
  PermitEmptyPasswords: flag("Whether empty passwords may log in."),
  PermitListen: words("Addresses that may be forwarded from."),
  PermitOpen: words("Addresses that may be forwarded to."),
  PermitRootLogin: switchOr(["prohibit-password", "without-password", "forced-commands-only"], "Whether root may log in."),
  PermitTTY: flag("Whether sessions may have a terminal."),
  PermitTunnel: switchOr(["point-to-point", "ethernet"], "Whether tun devices may be forwarded."),
  PermitUserEnvironment: keyword("Whether ~/.ssh/environment is read."),
  PermitUserRC: flag("Whether ~/.ssh/rc is run."),
  PerSourceMaxStartups: keyword("Connections of one address that are not logged in yet."),
  PerSourceNetBlockSize: keyword("How much of an address counts as one source."),
  PerSourcePenalties: words("How long who misbehaves is refused."),
  PerSourcePenaltyExemptList: algorithms("Addresses that are never refused so."),
  PidFile: keyword("The file that holds the server's process id."),
  PrintLastLog: flag("Whether a login shows the one before."),
  PrintMotd: flag("Whether a login shows /etc/motd."),
  PubkeyAcceptedAlgorithms: algorithms("Signatures of users' keys."),
  PubkeyAuthentication: flag("Whether keys may log in."),
  PubkeyAuthOptions: words("What is asked of security keys."),
  RefuseConnection: flag("Whether connections end before a login."),
  RekeyLimit: keyword("How much data goes under one key."),
  RequiredRSASize: number("The shortest RSA key that is accepted."),
  RevokedKeys: keyword("A file of keys that are refused."),
  SecurityKeyProvider: keyword("A library for security keys."),
  SetEnv: words("Variables that sessions get."),
  SshdAuthPath: keyword("The program that authenticates."),
  SshdSessionPath: keyword("The program of a session."),
  StreamLocalBindMask: keyword("The mode of forwarded sockets."),
  StreamLocalBindUnlink: flag("Whether a socket that is there is replaced."),
  StrictModes: flag("Whether a user's files must belong to it alone."),
  SyslogFacility: keyword("The facility of the log."),
  TCPKeepAlive: flag("Whether the network is asked whether the client is there."),
  TrustedUserCAKeys: keyword("A file of authorities for users' certificates."),
  UnusedConnectionTimeout: keyword("When a connection without channels is closed."),
  UseDns: flag("Whether a client's name is looked up."),
  UsePAM: flag("Whether PAM decides about logins."),
  VersionAddendum: keyword("What is added to the version."),
  X11DisplayOffset: number("The first display that is forwarded."),
  X11Forwarding: flag("Whether displays may be forwarded."),
  X11UseLocalhost: flag("Whether forwarded displays listen on loopback alone."),
  XAuthLocation: keyword("The program xauth."),
};

/** Keywords whose lists have commas between. */
const WITH_COMMAS = new Set([
  "CASignatureAlgorithms", "Ciphers", "GSSAPIKexAlgorithms", "HostbasedAcceptedAlgorithms", "HostKeyAlgorithms",
  "KexAlgorithms", "Macs", "PerSourcePenaltyExemptList", "PubkeyAcceptedAlgorithms",
]);

/** Lines of sshd_config, one for each keyword that is set. */
export function sshdSettings(settings: Readonly<Record<string, boolean | number | string | readonly string[] | null>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    // An empty list says nothing; sshd takes no keyword without an argument.
    if (value === null || (typeof value === "object" && value.length === 0)) return [];
    const text = value === true ? "yes" : value === false ? "no" : typeof value === "object" ? value.join(WITH_COMMAS.has(name) ? "," : " ") : String(value);
    return [`${name} ${text}`];
  });
}
