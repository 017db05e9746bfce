import assert from "node:assert/strict";
import { test } from "node:test";
import type { TsosError } from "../../../core/error/tsos-error.ts";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@example";

test("gives a person a home, a shell, the group users and subordinate ids", () => {
  const { manifest, config } = evaluateSystem({ users: { users: { ada: { isNormalUser: true, extraGroups: ["wheel"], description: "Ada Lovelace" } } } });
  assert.deepEqual(manifest.users.users.find(({ name }) => name === "ada"), {
    name: "ada", uid: null, group: "users", extraGroups: ["wheel"], description: "Ada Lovelace", home: "/home/ada", createHome: true, homeMode: "0700",
    shell: "/usr/bin/bash", isNormalUser: true, hashedPassword: null, hashedPasswordFile: null, initialHashedPassword: null, autoSubUidGidRange: true,
  });
  assert.equal(config.users.users["ada"]!.home, "/home/ada");
});

test("gives a service's account no home and no login", () => {
  const { manifest } = evaluateSystem({ users: { users: { app: { isSystemUser: true, group: "app" } }, groups: { app: {} } } });
  const { home, createHome, shell, isNormalUser, autoSubUidGidRange } = manifest.users.users.find(({ name }) => name === "app")!;
  assert.deepEqual({ home, createHome, shell, isNormalUser, autoSubUidGidRange }, { home: "/var/empty", createHome: false, shell: "/usr/sbin/nologin", isNormalUser: false, autoSubUidGidRange: false });
});

test("takes a package as a shell and puts it into /etc/shells", () => {
  const { manifest, etc, config } = evaluateSystem(({ pkgs }) => ({ users: { users: { ada: { isNormalUser: true, shell: pkgs.bash } } } }));
  const { shell } = manifest.users.users.find(({ name }) => name === "ada")!;
  assert.match(shell, /^\/nix\/store\/[^/]+\/bin\/bash$/);
  assert.ok(etc("shells").split("\n").includes(shell));
  assert.equal(config.users.users["root"]!.shell, "/usr/bin/bash");
});

test("refuses a package that is no login shell, and says so", () => {
  assert.throws(() => evaluateSystem(({ pkgs }) => ({ users: { users: { ada: { isNormalUser: true, shell: pkgs.git } } } })), ({ code, message, hint }: TsosError) => {
    assert.equal(code, "option.wrong-type");
    assert.match(message, /"users\.users\.ada\.shell" must be null or package of a login shell or .*, got the package git-/);
    assert.match(hint ?? "", /git-\S+ has no shellPath.*pkgs\.bash/);
    return true;
  });
});

test("declares root and Debian's own accounts with their fixed numbers", () => {
  const { manifest } = evaluateSystem({});
  const user = (name: string) => manifest.users.users.find((one) => one.name === name);
  assert.deepEqual([user("root")!.uid, user("root")!.home, user("root")!.shell], [0, "/root", "/usr/bin/bash"]);
  assert.deepEqual(["daemon", "bin", "www-data", "nobody"].map((name) => user(name)!.uid), [1, 2, 33, 65534]);
  assert.equal(user("messagebus")!.uid, null);
  assert.equal(manifest.users.groups.find(({ name }) => name === "shadow")!.gid, 42);
  for (const { group } of manifest.users.users) assert.ok(manifest.users.groups.some(({ name }) => name === group), group);
});

test("writes authorized keys as copies that sshd may read", () => {
  const { manifest, etc } = evaluateSystem({ users: { users: { ada: { isNormalUser: true, openssh: { authorizedKeys: { keys: [KEY, `from="192.0.2.1" ${KEY}`] } } } } } });
  const entry = manifest.etc.find(({ target }) => target === "ssh/authorized_keys.d/ada")!;
  assert.equal(entry.kind === "copy" && entry.mode, "0444");
  assert.equal(etc("ssh/authorized_keys.d/ada"), `${KEY}\nfrom="192.0.2.1" ${KEY}\n`);
});

test("gives a user packages of its own", () => {
  const { manifest } = evaluateSystem(({ pkgs }) => ({ users: { users: { ada: { isNormalUser: true, packages: [pkgs.hello] } } } }));
  assert.ok(manifest.etc.some(({ target }) => target === "profiles/per-user/ada"));
});

const rejected: Readonly<Record<string, readonly [object, RegExp]>> = {
  "a name that passwd cannot hold": [{ users: { "a b": { isNormalUser: true } } }, /users\.users\."a b": "a b" cannot be an account's name/],
  "an account that is neither a person's nor a service's": [{ users: { x: { group: "users" } } }, /users\.users\.x: set isNormalUser = true for a person, or isSystemUser = true/],
  "a person with a service's number": [{ users: { x: { isNormalUser: true, uid: 5 } } }, /users\.users\.x: a user with isNormalUser can have neither/],
  "a service's account without a group": [{ users: { x: { isSystemUser: true } } }, /users\.users\.x\.group is not set/],
  "a group that is not declared": [{ users: { x: { isNormalUser: true, extraGroups: ["whel"] } } }, /users\.users\.x\.extraGroups: there is no group "whel"; declare it/],
  "two users with one number": [{ users: { x: { isNormalUser: true, uid: 1234 }, y: { isNormalUser: true, uid: 1234 } } }, /users\.users\.x and users\.users\.y have the same uid 1234/],
  "two accounts with one name": [{ users: { x: { isNormalUser: true }, y: { isNormalUser: true, name: "x" } } }, /have the same name x/],
  "a password that is no hash": [{ users: { x: { isNormalUser: true, hashedPassword: "secret" } } }, /users\.users\.x: what is given as a hashed password is no hash/],
  "a path among the keys": [{ users: { x: { isNormalUser: true, openssh: { authorizedKeys: { keys: ["/home/x/.ssh/id.pub"] } } } } }, /authorizedKeys\.keys: "\/home\/x\/\.ssh\/id\.pub" is no public key/],
  "a colon in a description": [{ users: { x: { isNormalUser: true, description: "a:b" } } }, /users\.users\.x\.description/],
  "a relative home": [{ users: { x: { isNormalUser: true, home: "home/x" } } }, /users\.users\.x\.home/],
  "a machine that nobody can administer": [{ mutableUsers: false }, /users\.mutableUsers is false, and neither root nor a user in wheel/],
  "a member that is not declared where users are fixed": [{ mutableUsers: false, allowNoPasswordLogin: true, groups: { g: { members: ["ghost"] } } }, /users\.groups\.g\.members: there is no user "ghost"/],
};

for (const [what, [users, message]] of Object.entries(rejected)) {
  test(`rejects ${what}`, () => {
    const problems = problemsOf({ users });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, message);
  });
}

test("takes a low number as a service's account, and equal numbers where that is asked for", () => {
  assert.deepEqual(problemsOf({ users: { enforceIdUniqueness: false, users: { x: { uid: 500, group: "g" }, y: { uid: 500, group: "g" } }, groups: { g: {} } } }), []);
});

test("lets a wheel user with a key administer a machine of fixed users", () => {
  assert.deepEqual(problemsOf({ users: { mutableUsers: false, users: { ada: { isNormalUser: true, extraGroups: ["wheel"], openssh: { authorizedKeys: { keys: [KEY] } } } } } }), []);
});
