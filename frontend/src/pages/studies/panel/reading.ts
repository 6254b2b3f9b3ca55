import { useQuery } from "@tanstack/react-query";

import { getAttributes, getHistory, getInstances, getStudy, studyKeys, type Place } from "../../../api/studies";

export function useStudy(place: Place) {
  return useQuery({
    queryKey: studyKeys.detail(place),
    queryFn: ({ signal }) => getStudy(place, signal),
  });
}

export function useInstances(place: Place) {
  return useQuery({
    queryKey: studyKeys.instances(place),
    queryFn: ({ signal }) => getInstances(place, signal),
    enabled: place.series !== undefined,
  });
}

/** What an object holds does not change: it is read once. */
export function useAttributes(place: Place) {
  return useQuery({
    queryKey: studyKeys.attributes(place),
    queryFn: ({ signal }) => getAttributes(place, signal),
    enabled: place.instance !== undefined,
    staleTime: Infinity,
    gcTime: 60_000,
  });
}

export function useHistory(place: Place) {
  return useQuery({
    queryKey: studyKeys.history(place),
    queryFn: ({ signal }) => getHistory(place, signal),
  });
}
