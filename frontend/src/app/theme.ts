/**
 * The looks: dark by default, 14 px text, a 4 px grid, one accent. Pages use Mantine's variables and the ones below.
 *
 * --rf-rail     the rail and bars        --rf-good  done, well
 * --rf-raised   heads of tables, cards   --rf-warn  waits, doubtful
 * --rf-line     lines between things     --rf-bad   failed, destroyed
 * --rf-hover    a row under the pointer  --rf-info  under way
 * --rf-selected a chosen row             --rf-quiet nothing to do with it now
 *
 * All of them stand out from the page by 4.5 to 1 as text, in both schemes (held by theme.test.ts).
 */
import {
  ActionIcon,
  Badge,
  Button,
  createTheme,
  Drawer,
  Input,
  Menu,
  Modal,
  Popover,
  SegmentedControl,
  Select,
  Switch,
  Tabs,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e2f7fa", "#c6ecf2", "#97dce7", "#62cbdb", "#3dbccf", "#25a8bc", "#188fa2", "#0c7888", "#076472", "#044f5b",
]; // prettier-ignore

const dark: MantineColorsTuple = [
  "#d8dde3", "#b7bfc9", "#9aa4b0", "#86919d", "#343c46", "#272e36", "#1b2127", "#13171c", "#0e1216", "#090c0f",
]; // prettier-ignore

const TITLE = { title: { fontSize: "16px", fontWeight: 600 } };
const QUICK = { transitionProps: { duration: 100 } };

/** 30 px controls with 14 px text: Mantine's own steps are 30 px with 12 px and 36 px with 14 px. */
const compactInput = { "--input-height": "30px", "--input-fz": "14px" };

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  black: "#14181d",
  colors: { accent, dark },
  // The system's own; named, since "system-ui" is a wide screen font of old on a bare Linux.
  fontFamily: '-apple-system, "Segoe UI", Roboto, Ubuntu, Cantarell, "Noto Sans", "Liberation Sans", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "1.35", sm: "1.4", md: "1.45", lg: "1.5", xl: "1.5" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "2px", sm: "4px", md: "6px", lg: "8px", xl: "12px" },
  defaultRadius: "sm",
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "18px" }, h2: { fontSize: "16px" }, h3: { fontSize: "14px" } } },
  focusRing: "auto",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 500 } }),
    Button: Button.extend({
      styles: { label: { fontWeight: 500 } },
      vars: (_theme, { size }) => ({
        root:
          size === undefined || size === "sm"
            ? { "--button-height": "30px", "--button-padding-x": "12px", "--button-fz": "14px" }
            : {},
      }),
    }),
    Drawer: Drawer.extend({ styles: TITLE, defaultProps: { position: "right", ...QUICK } }),
    Input: Input.extend({
      vars: (_theme, { size }) => ({ wrapper: size === undefined || size === "sm" ? compactInput : {} }),
    }),
    InputWrapper: Input.Wrapper.extend({
      vars: () => ({
        label: { "--input-label-size": "13px", "--input-asterisk-color": undefined },
        success: { "--input-success-size": "12px" },
        description: { "--input-description-size": "12px" },
        error: { "--input-error-size": "12px" },
      }),
    }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", ...QUICK } }),
    Modal: Modal.extend({
      styles: { ...TITLE, content: { border: "1px solid var(--mantine-color-default-border)" } },
      defaultProps: { centered: true, padding: "lg", overlayProps: { backgroundOpacity: 0.55 }, ...QUICK },
    }),
    Popover: Popover.extend({ defaultProps: { shadow: "md", ...QUICK } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { transitionDuration: 100 } }),
    Select: Select.extend({ defaultProps: { allowDeselect: false, checkIconPosition: "right" } }),
    Switch: Switch.extend({ defaultProps: { withThumbIndicator: false } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, transitionProps: { duration: 80 }, multiline: true, maw: 360 } }),
  },
});

export const LIGHT = {
  "--mantine-color-body": "#ffffff",
  "--mantine-color-text": "#1a2027",
  "--mantine-color-dimmed": "#55606c",
  "--mantine-color-placeholder": "#626d79",
  "--mantine-color-default-border": "#d0d6dd",
  "--mantine-color-default-hover": "#f1f4f6",
  "--mantine-color-error": "#b42318",
  "--mantine-color-anchor": "#076472",
  "--rf-rail": "#f2f4f6",
  "--rf-raised": "#f7f8fa",
  "--rf-line": "#e1e5ea",
  "--rf-hover": "#eff3f6",
  "--rf-selected": "#d7eef2",
  "--rf-good": "#14703a",
  "--rf-warn": "#8a5300",
  "--rf-bad": "#b42318",
  "--rf-info": "#076472",
  "--rf-quiet": "#55606c",
};

export const DARK = {
  "--mantine-color-body": dark[7],
  "--mantine-color-text": dark[0],
  "--mantine-color-dimmed": dark[2],
  "--mantine-color-placeholder": dark[3],
  "--mantine-color-default-border": dark[4],
  "--mantine-color-error": "#ff8f85",
  "--mantine-color-anchor": "#4cc4d6",
  "--rf-rail": dark[8],
  "--rf-raised": "#191e24",
  "--rf-line": "#262d35",
  "--rf-hover": "#1d242b",
  "--rf-selected": "#123a42",
  "--rf-good": "#56c581",
  "--rf-warn": "#e5ad48",
  "--rf-bad": "#ff8f85",
  "--rf-info": "#4cc4d6",
  "--rf-quiet": dark[2],
};

/** In the dark, tinted grounds are tints: Mantine's own are solid and glare. */
function tints(colors: readonly string[]): Record<string, string> {
  const ground = (name: string, percent: number) =>
    `color-mix(in srgb, var(--mantine-color-${name}-5) ${percent}%, transparent)`;
  return Object.fromEntries(
    colors.flatMap((name) => [
      [`--mantine-color-${name}-light`, ground(name, 15)],
      [`--mantine-color-${name}-light-hover`, ground(name, 22)],
      [`--mantine-color-${name}-light-color`, `var(--mantine-color-${name}-2)`],
    ]),
  );
}

export const variables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: LIGHT,
  dark: { ...DARK, ...tints(Object.keys(colors).filter((name) => name !== "dark")) },
});
