/** The same pair in the same three panes, as Cornerstone3D draws it with its leanest settings: one context, half floats. */
import { cache, Enums, init, RenderingEngine, volumeLoader } from "@cornerstonejs/core";

const SLICES = Number(new URLSearchParams(location.search).get("slices") ?? 300);

init({ rendering: { renderingEngineMode: "tiled", webGlContextCount: 1, preferSizeOverAccuracy: true } });
cache.setMaxCacheSize(4e9);

function volume(id, scalarData, size, spacing_mm, bits) {
  const half = (-size * spacing_mm) / 2;
  return volumeLoader.createLocalVolume(id, {
    scalarData,
    dimensions: [size, size, SLICES],
    spacing: [spacing_mm, spacing_mm, 3],
    origin: [half, half, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    metadata: {
      BitsAllocated: bits, BitsStored: bits, HighBit: bits - 1, SamplesPerPixel: 1, PixelRepresentation: 1,
      PhotometricInterpretation: "MONOCHROME2", Modality: id, ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
      PixelSpacing: [spacing_mm, spacing_mm], FrameOfReferenceUID: "1.2.3", Columns: size, Rows: size, voiLut: [],
    },
  });
}

const ct = new Int16Array(512 * 512 * SLICES);
for (let at = 0; at < ct.length; at++) ct[at] = (((at % 512) * 2 + ((at >> 9) % 512)) % 1500) - 500;
const pet = new Float32Array(200 * 200 * SLICES);
for (let at = 0; at < pet.length; at++) pet[at] = (at % 200) / 20;
volume("CT", ct, 512, 0.97, 16);
volume("PT", pet, 200, 2.4, 32);

const engine = new RenderingEngine("engine");
const panes = ["axial", "coronal", "sagittal"];
engine.setViewports(
  panes.map((viewportId) => {
    const element = document.createElement("div");
    element.style.minHeight = "0";
    if (viewportId === "axial") element.style.gridRow = "1 / 3";
    document.getElementById("panes").append(element);
    const defaultOptions = { orientation: viewportId, background: [0, 0, 0] };
    return { viewportId, type: Enums.ViewportType.ORTHOGRAPHIC, element, defaultOptions };
  }),
);
for (const pane of panes) {
  const viewport = engine.getViewport(pane);
  await viewport.setVolumes([{ volumeId: "CT" }, { volumeId: "PT" }]);
  viewport.setProperties({ voiRange: { lower: -500, upper: 1000 } }, "CT");
  viewport.setProperties({ voiRange: { lower: 0, upper: 8 }, colormap: { name: "hsv", opacity: 0.4 } }, "PT");
}
engine.render();
await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
window.scrollPane = (pane) => engine.getViewport(pane).scroll(1);
performance.mark("radfuse first picture");
performance.mark("radfuse all voxels");
