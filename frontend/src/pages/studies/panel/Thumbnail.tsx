import {
  IconActivityHeartbeat,
  IconAdjustments,
  IconArrowsExchange2,
  IconFile,
  IconFileText,
  IconMicroscope,
  IconPhotoOff,
  IconShape,
  IconStar,
  IconTarget,
  IconVectorBezier2,
  type Icon,
} from "@tabler/icons-react";
import { useState } from "react";

import { modalityOf } from "../../../ui";
import styles from "./panel.module.css";

/** For what has no picture. */
const ICONS: Record<string, Icon | undefined> = {
  RTSTRUCT: IconVectorBezier2,
  RTPLAN: IconTarget,
  RTDOSE: IconTarget,
  SEG: IconShape,
  REG: IconArrowsExchange2,
  SR: IconFileText,
  DOC: IconFileText,
  KO: IconStar,
  PR: IconAdjustments,
  ECG: IconActivityHeartbeat,
  SM: IconMicroscope,
};

interface ThumbnailProps {
  address: string;
  modality: string;
  size_px: number;
}

/** A small picture, read when it comes into view; an icon where there is none. */
export function Thumbnail({ address, modality, size_px }: ThumbnailProps) {
  const [broken, setBroken] = useState("");
  const Sign = ICONS[modality] ?? (address ? IconPhotoOff : IconFile);
  const size = { width: size_px, height: size_px };
  if (!address || broken === address) {
    return (
      <span className={styles.thumbnail} style={size} title={modalityOf(modality).name}>
        <Sign size={Math.round(size_px * 0.42)} stroke={1.3} aria-hidden />
      </span>
    );
  }
  return (
    <span className={styles.thumbnail} style={size}>
      <img src={address} alt="" loading="lazy" decoding="async" draggable={false} onError={() => { setBroken(address); }} />
    </span>
  );
}
