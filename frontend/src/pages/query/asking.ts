/** The smaller questions to a peer: the series of a study, how many images a series has. */

import { queryOptions } from "@tanstack/react-query";

import { ApiError } from "../../api/client";
import { askPeer } from "../../api/peers";
import type { PeerQuery } from "../../api/types";
import { imagesQuery, seriesQuery } from "./form";
import type { Answer } from "./search";

async function answersOf(peer: string, query: PeerQuery, signal: AbortSignal): Promise<Answer[]> {
  const answers: Answer[] = [];
  for await (const line of askPeer(peer, query, signal)) {
    if ("problem" in line) throw new ApiError({ ...line.problem, title: `${peer} could not be asked` });
    if ("answer" in line) answers.push(line.answer);
  }
  return answers;
}

export function seriesOptions(peer: string, study: string) {
  return queryOptions({
    queryKey: ["peer-series", peer, study],
    staleTime: 60_000,
    retry: false,
    queryFn: async ({ signal }) => {
      const answers = await answersOf(peer, seriesQuery(study), signal);
      return answers.sort((one, other) => Number(one.SeriesNumber) - Number(other.SeriesNumber));
    },
  });
}

export function imageCountOptions(peer: string, study: string, series: string) {
  return queryOptions({
    queryKey: ["peer-images", peer, study, series],
    staleTime: 60_000,
    retry: false,
    queryFn: async ({ signal }) => (await answersOf(peer, imagesQuery(study, series), signal)).length,
  });
}
