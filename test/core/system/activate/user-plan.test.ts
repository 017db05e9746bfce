import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TsosError } from "../../../../core/error/tsos-error.ts";
import { type IdAllocations, NO_ALLOCATIONS } from "../../../../core/system/activate/id-allocation.ts";
import { planUsers, type UserFiles, type UserPlan } from "../../../../core/system/activate/user-plan.ts";
import type { UsersManifest } from "../../../../core/system/manifest.ts";
import { group, user } from "../support/toplevel-fixture.ts";

const EMPTY: UserFiles = { passwd: "", group: "", shadow: "", gshadow: "", subuid: "", subgid: "" };
const GROUPS = [group("users", 100), group("wheel")];

function plan(declared: Partial<UsersManifest>, current: Partial<UserFiles> = {}, allocations: IdAllocations = NO_ALLOCATIONS, passwordFiles: Readonly<Record<string, string>> = {}): UserPlan {
  return planUsers({ mutableUsers: true, users: [], groups: GROUPS, ...declared }, { ...EMPTY, ...current }, allocations, (file) => passwordFiles[file]);
}

/** The next activation of a machine after this one. */
function next(previous: UserPlan, declared: Partial<UsersManifest>, change: (files: UserFiles) => Partial<UserFiles> = () => ({})): UserPlan {
  return plan(declared, { ...previous.files, ...change(previous.files) }, previous.allocations);
}

const line = (text: string, name: string): string | undefined => text.split("\n").find((one) => one.startsWith(`${name}:`));

describe("planUsers", () => {
  test("gives people ids from 1000 up and system users ids from 999 down", () => {
    const result = plan({ users: [user("ann"), user("bob"), user("web", { isNormalUser: false }), user("db", { isNormalUser: false })] });
    assert.deepEqual(Object.fromEntries(result.uids), { ann: 1000, bob: 1001, web: 999, db: 998 });
    assert.equal(line(result.files.passwd, "ann"), "ann:x:1000:100::/home/ann:/usr/bin/bash");
  });

  test("keeps a declared id and gives it to nobody else", () => {
    const result = plan({ users: [user("ann"), user("bob", { uid: 1000 })] });
    assert.deepEqual(Object.fromEntries(result.uids), { ann: 1001, bob: 1000 });
  });

  test("gives a user its old id back when it returns", () => {
    const first = plan({ users: [user("ann"), user("bob")] });
    const second = next(first, { users: [user("bob"), user("carl")] });
    assert.deepEqual(Object.fromEntries(second.uids), { bob: 1001, carl: 1002 });
    const third = next(second, { users: [user("ann"), user("bob"), user("carl")] });
    assert.equal(third.uids.get("ann"), 1000);
  });

  test("does not depend on the order of the declarations once ids are given", () => {
    const first = plan({ users: [user("ann"), user("bob")] });
    const second = next(first, { users: [user("bob"), user("ann")] });
    assert.deepEqual(second.allocations.uids, first.allocations.uids);
  });

  test("does not give out the id of a user that was made by hand", () => {
    const result = plan({ users: [user("ann")] }, { passwd: "hand:x:1000:100::/home/hand:/bin/sh\n" });
    assert.equal(result.uids.get("ann"), 1001);
    assert.equal(line(result.files.passwd, "hand"), "hand:x:1000:100::/home/hand:/bin/sh");
  });

  test("keeps the id of a user that is there although another is declared, and says so", () => {
    const result = plan({ users: [user("ann", { uid: 2000 })] }, { passwd: "ann:x:1000:100::/home/ann:/bin/sh\n" });
    assert.equal(result.uids.get("ann"), 1000);
    assert.match(result.warnings.join(), /"ann" keeps its id 1000 rather than 2000/);
  });

  test("removes users that were made by hand where users are not mutable", () => {
    const result = plan({ mutableUsers: false }, { passwd: "hand:x:1000:100::/home/hand:/bin/sh\n" });
    assert.deepEqual(result.removedUsers, ["hand"]);
    assert.equal(result.files.passwd, "");
  });

  test("removes a user that is declared no longer, keeps its password and says so", () => {
    const first = plan({ users: [user("ann", { hashedPassword: "$y$secret" })] });
    const second = next(first, {});
    assert.deepEqual(second.removedUsers, ["ann"]);
    assert.equal(line(second.files.passwd, "ann"), undefined);
    assert.equal(line(second.files.shadow, "ann"), "ann:$y$secret:1:0:99999:7:::");
    assert.match(second.warnings.join(), /"ann" is no longer declared/);
  });

  test("keeps a password that was set by hand where users are mutable", () => {
    const first = plan({ users: [user("ann", { hashedPassword: "$y$declared" })] });
    const second = next(first, { users: [user("ann", { hashedPassword: "$y$other" })] }, () => ({ shadow: "ann:$y$byhand:19000:0:90:7:::\n" }));
    assert.equal(line(second.files.shadow, "ann"), "ann:$y$byhand:19000:0:90:7:::");
  });

  test("keeps a locked password locked", () => {
    const result = plan({ users: [user("ann", { hashedPassword: "$y$declared" })] }, { passwd: "ann:x:1000:100::/home/ann:/bin/sh\n", shadow: "ann:!$y$old:1:0:99999:7:::\n" });
    assert.equal(line(result.files.shadow, "ann"), "ann:!$y$old:1:0:99999:7:::");
  });

  test("sets a declared password for a user that never had one", () => {
    const first = plan({ users: [user("ann")] });
    assert.equal(line(first.files.shadow, "ann"), "ann:!:1:0:99999:7:::");
    const second = next(first, { users: [user("ann", { hashedPassword: "$y$declared" })] });
    assert.equal(line(second.files.shadow, "ann"), "ann:$y$declared:1:0:99999:7:::");
  });

  test("sets a declared password at each activation where users are not mutable", () => {
    const declared = { mutableUsers: false, users: [user("ann", { hashedPassword: "$y$declared" })] };
    const result = next(plan(declared), declared, () => ({ shadow: "ann:$y$byhand:1:0:99999:7:::\n" }));
    assert.equal(line(result.files.shadow, "ann"), "ann:$y$declared:1:0:99999:7:::");
  });

  test("reads a password's hash from a file of the machine, its first line", () => {
    const result = plan({ users: [user("ann", { hashedPasswordFile: "/secret", hashedPassword: "$y$other" })] }, {}, NO_ALLOCATIONS, { "/secret": "$y$fromfile\nrest\n" });
    assert.equal(line(result.files.shadow, "ann"), "ann:$y$fromfile:1:0:99999:7:::");
  });

  test("keeps the password when its file cannot be read, and says so", () => {
    const declared = { mutableUsers: false, users: [user("ann", { hashedPasswordFile: "/missing" })] };
    const result = plan(declared, { passwd: "ann:x:1000:100::/:/bin/sh\n", shadow: "ann:$y$old:1:0:99999:7:::\n" });
    assert.equal(line(result.files.shadow, "ann"), "ann:$y$old:1:0:99999:7:::");
    assert.match(result.warnings.join(), /"\/missing" of the user "ann" cannot be read/);
  });

  test("sets an initial password once", () => {
    const declared = { users: [user("ann", { initialHashedPassword: "$y$initial" })] };
    const first = plan(declared);
    assert.equal(line(first.files.shadow, "ann"), "ann:$y$initial:1:0:99999:7:::");
    const second = next(first, declared, () => ({ shadow: "ann:$y$byhand:1:0:99999:7:::\n" }));
    assert.equal(line(second.files.shadow, "ann"), "ann:$y$byhand:1:0:99999:7:::");
  });

  test("puts users into the groups that they name", () => {
    const result = plan({ users: [user("bob", { extraGroups: ["wheel"] }), user("ann", { extraGroups: ["wheel"] })] });
    assert.equal(line(result.files.group, "wheel"), "wheel:x:999:ann,bob");
    assert.equal(line(result.files.gshadow, "wheel"), "wheel:!::ann,bob");
  });

  test("keeps members that were added by hand and drops declared ones that left", () => {
    const first = plan({ users: [user("ann", { extraGroups: ["wheel"] })] });
    const second = next(first, { users: [user("ann")] }, (files) => ({ group: files.group.replace("wheel:x:999:ann", "wheel:x:999:ann,hand") }));
    assert.equal(line(second.files.group, "wheel"), "wheel:x:999:hand");
  });

  test("gives each user subordinate ids of its own and keeps them", () => {
    const first = plan({ users: [user("ann", { autoSubUidGidRange: true }), user("bob", { autoSubUidGidRange: true })] }, { subuid: "hand:100000:65536\n", subgid: "hand:100000:65536\n" });
    assert.equal(first.files.subuid, "hand:100000:65536\nann:165536:65536\nbob:231072:65536\n");
    const second = next(first, { users: [user("bob", { autoSubUidGidRange: true })] });
    assert.equal(line(second.files.subuid, "bob"), "bob:231072:65536");
  });

  test("is the same when it is applied to its own result", () => {
    const declared = { users: [user("ann", { extraGroups: ["wheel"], hashedPassword: "$y$x", autoSubUidGidRange: true })] };
    const first = plan(declared, { passwd: "hand:x:1000:100::/home/hand:/bin/sh\n", shadow: "hand:*:1:0:99999:7:::\n" });
    const second = next(first, declared);
    assert.deepEqual(second.files, first.files);
    assert.deepEqual(second.allocations, first.allocations);
    assert.deepEqual([second.addedUsers, second.changedUsers, second.removedUsers], [[], [], []]);
  });

  const refuses = (declared: Partial<UsersManifest>, code: string, message: RegExp): void => {
    assert.throws(() => plan(declared), (error: TsosError) => error.code === code && message.test(error.message));
  };

  test("refuses a user whose group is not declared", () => refuses({ users: [user("ann", { group: "staff" })] }, "users.unknown-group", /"ann" has the group "staff"/));
  test("refuses two users of one id", () => refuses({ users: [user("ann", { uid: 1000 }), user("bob", { uid: 1000 })] }, "users.invalid", /"ann" and "bob" both have the id 1000/));
  test("refuses a user that is declared twice", () => refuses({ users: [user("ann"), user("ann")] }, "users.invalid", /"ann" is declared twice/));
  test("refuses a name with a colon", () => refuses({ users: [user("a:b")] }, "users.invalid", /"a:b" is not a user's name/));
  test("refuses a description with a newline", () => refuses({ users: [user("ann", { description: "x\nroot2:x:0:0::/:/bin/sh" })] }, "users.invalid", /description/));
  test("refuses a hash with a colon", () => refuses({ users: [user("ann", { hashedPassword: "a:b" })] }, "users.invalid", /hash/));
});
