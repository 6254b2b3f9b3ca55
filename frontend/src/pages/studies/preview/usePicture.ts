import { useEffect, useState } from "react";

/** So many decoded pictures are held, for scrolling back and for cine. */
const HELD = 160;

/** The least recently used ones go first. */
export class PictureCache {
  private readonly held = new Map<string, Promise<HTMLImageElement>>();

  get(address: string): Promise<HTMLImageElement> {
    const known = this.held.get(address) ?? this.load(address);
    this.held.delete(address);
    this.held.set(address, known);
    const [oldest] = this.held.keys();
    if (this.held.size > HELD && oldest !== undefined) this.held.delete(oldest);
    return known;
  }

  private load(address: string): Promise<HTMLImageElement> {
    const image = new Image();
    image.src = address;
    const loaded = image.decode().then(() => image);
    // What failed may work the next time.
    loaded.catch(() => this.held.delete(address));
    return loaded;
  }
}

export interface Picture {
  /** The last one that could be shown, while the next is read. */
  image: HTMLImageElement | null;
  address: string;
  isFailed: boolean;
}

const NONE: Picture = { image: null, address: "", isFailed: false };

/** The picture of an address, those before it staying until it is there; then the ones that may come next are read. */
export function usePicture(address: string, next: readonly string[]): Picture {
  const [cache] = useState(() => new PictureCache());
  const [picture, setPicture] = useState<Picture>(NONE);

  useEffect(() => {
    if (!address) return undefined;
    let isWanted = true;
    cache
      .get(address)
      .then((image) => {
        if (!isWanted) return;
        setPicture({ image, address, isFailed: false });
        next.forEach((each) => { cache.get(each).catch(() => undefined); });
      })
      .catch(() => {
        if (isWanted) setPicture({ image: null, address, isFailed: true });
      });
    return () => {
      isWanted = false;
    };
    // What may come next follows from the address.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [address, cache]);
  return picture;
}
