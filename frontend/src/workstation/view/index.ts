/** The pictures of the workstation: panes, and the engine that reads and draws for them. */
export { startEngine } from "./engine/engine";
export { MipPane } from "./MipPane";
export { PlanePane } from "./PlanePane";
export { usePaneTools } from "./tools/usePaneTools";
