import { Stack, Table, Text } from "@mantine/core";

import classes from "./rules.module.css";

const COMPARISONS: [written: string, meaning: string][] = [
  ['{ attribute = "Modality", equals = "CT" }', "a value is this one"],
  ['{ attribute = "Modality", in = ["CT", "PT"] }', "a value is one of these"],
  ['{ attribute = "StudyDescription", matches = "*THORAX*" }', "a value fits; * is any text, ? one character"],
  ['{ attribute = "StudyDate", range = ["20260101", ""] }', "a date, time or number lies between; \"\" is open"],
  ['{ attribute = "ContrastBolusAgent", exists = false }', "there is no value"],
  ["{ all = [ … ] }   { any = [ … ] }   { not = … }", "all of them, any of them, not this one"],
];

/** What can be written where the form has no field for it. */
export function LanguageHelp() {
  return (
    <Stack gap="sm">
      <Text c="dimmed">
        An attribute is a keyword of the standard or a tag such as 0018,0010; inside a sequence with dots.
        SourceApplicationEntityTitle is the AE title that sent the object here.
      </Text>
      <Table fz="md" verticalSpacing={6} horizontalSpacing={0} aria-label="Conditions">
        <Table.Tbody>
          {COMPARISONS.map(([written, meaning]) => (
            <Table.Tr key={written}>
              <Table.Td>
                <code className={classes.code}>{written}</code>
                <Text fz="sm" c="dimmed">{meaning}</Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
