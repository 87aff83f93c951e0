/** What storage.commitInterval: auto means on which disk. */
import { describe, expect, it } from "vitest";
import { autoCommitIntervalMs, type BlockFacts } from "./card.js";

function facts(
  known: Partial<{ mounts: string; number: string; links: Record<string, string>; slaves: Record<string, string[]> }>,
): BlockFacts {
  return {
    mounts: () => known.mounts ?? null,
    deviceNumber: () => known.number ?? null,
    readLink: (path) => known.links?.[path] ?? null,
    list: (path) => known.slaves?.[path] ?? [],
  };
}

const MOUNTS = `/dev/mmcblk0p2 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
/dev/sda1 /mnt/ssd ext4 rw 0 0
/dev/mmcblk0p3 /mnt/my\\040card ext4 rw 0 0
`;

describe("the commit interval on auto", () => {
  it("is a second on an SD card and none on a disk or tmpfs", () => {
    const of = (path: string) => autoCommitIntervalMs(path, facts({ mounts: MOUNTS }));
    expect([of("/var/lib/tidegate"), of("/mnt/my card/data"), of("/mnt/ssd/data"), of("/run/x")]).toEqual([
      1000, 1000, 0, 0,
    ]);
    expect(of("/mnt/ssdx")).toBe(1000);
  });

  it("follows the device number, also through /dev/root and LUKS", () => {
    const link = "../../devices/platform/soc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0/mmcblk0p2";
    const card = facts({
      mounts: "/dev/root / ext4 rw 0 0\n",
      number: "179:2",
      links: { "/sys/dev/block/179:2": link },
    });
    expect(autoCommitIntervalMs("/data", card)).toBe(1000);
    const luks = facts({
      number: "254:0",
      links: { "/sys/dev/block/254:0": "../../devices/virtual/block/dm-0" },
      slaves: { "/sys/block/dm-0/slaves": ["mmcblk0p2"] },
    });
    expect(autoCommitIntervalMs("/data", luks)).toBe(1000);
  });

  it("is none where nothing is known, and ends on a stack without end", () => {
    expect(autoCommitIntervalMs("/data", facts({}))).toBe(0);
    const loop = facts({ mounts: "/dev/dm-0 / ext4 rw 0 0\n", slaves: { "/sys/block/dm-0/slaves": ["dm-0"] } });
    expect(autoCommitIntervalMs("/data", loop)).toBe(0);
  });
});
