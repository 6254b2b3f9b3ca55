import { beforeEach, expect, it, vi } from "vitest";

import type { RegionAsk } from "../../../api/workstation";
import { serviceWith } from "../../../test/service";
import { CT, PT, facts, numbers, openScene } from "../../test/scene";
import { useWorkspace } from "../../model/store";
import { maskOf } from "../outlines";
import { axesOf, viewOfPane } from "../planes";
import { startDrag, type Pane } from "./drags";

const ROOM = { width: 512, height: 512 };

beforeEach(openScene);

function pane(role: "fused" | "overlay"): Pane {
  const [base, over] = [facts(CT), facts(PT)];
  const below = role === "fused" ? base : over;
  const view = viewOfPane(base, axesOf("axial", null, base), ROOM, [254, 254, 78]);
  return {
    spec: { pane: "axial", plane: "axial", role },
    shown: { anchor: base, below, above: role === "fused" ? over : null, isAlone: false },
    view,
  };
}

function stroke(x: number): void {
  startDrag(pane("fused"), "brush", { x, y: 250 }, false).end({ x, y: 250 }, false);
}

const voxels = () => useWorkspace.getState().doc.regions.map((region) => maskOf(region.shape).inside.reduce((sum, each) => sum + each, 0));

it("a stroke that is made while the service answers is put on what the one before it made", async () => {
  const answer = (body: unknown) => {
    const { rule } = body as RegionAsk;
    return { shape: rule.kind === "shape" ? rule.shape : null, shown: null, numbers: [numbers(PT)], findings: [] };
  };
  serviceWith({ "POST /api/regions": answer });
  stroke(100);
  await vi.waitFor(() => { expect(voxels()).toHaveLength(1); });
  const [one = 0] = voxels();
  useWorkspace.getState().removeRegion(useWorkspace.getState().doc.regions[0]?.id ?? "");
  useWorkspace.getState().select(null);
  for (const x of [100, 200, 300]) stroke(x);
  // By a voxel or two more or less: they lie otherwise on the lattice.
  await vi.waitFor(() => { expect(Math.round((voxels()[0] ?? 0) / one)).toBe(3); });
  expect(voxels()).toHaveLength(1);
});

it("a line belongs to the series in whose frame its points lie, whatever is seen in the pane", () => {
  startDrag(pane("overlay"), "length", { x: 10, y: 10 }, false).end({ x: 40, y: 10 }, false);
  expect(useWorkspace.getState().doc.lines).toMatchObject([{ kind: "length", series: CT }]);
});
