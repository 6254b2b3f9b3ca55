import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { formatCounted } from "../../ui";
import { imageCountOptions } from "./asking";
import classes from "./query.module.css";

interface ImageCountProps {
  peer: string;
  study: string;
  series: string;
  /** What the peer told with the series; many do not. */
  told: number | null;
}

/** How many images a series has: as the peer tells, else counted on request, one answer an image. */
export function ImageCount({ peer, study, series, told }: ImageCountProps) {
  const [isAsked, setAsked] = useState(false);
  const counted = useQuery({ ...imageCountOptions(peer, study, series), enabled: isAsked && told === null });
  const known = told ?? counted.data;
  if (known !== undefined) return formatCounted(known, "image");
  if (counted.isError) return <span className={classes.dim} title={counted.error.message}>not told</span>;
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      color="gray"
      loading={counted.isFetching}
      onClick={() => {
        setAsked(true);
      }}
    >
      Count images
    </Button>
  );
}
