// node validate.js FILE: AsyncAPI's own parser reads it, Avro schemas too. Prints what it complains
// of; exit 1 if any of that is an error.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await parser.parse(await readFile(process.argv[2], "utf8"));
const worst = diagnostics.filter((each) => each.severity === 0);
for (const each of diagnostics) {
  console.log(`${each.severity} ${each.code} ${each.path.join(".")}: ${each.message}`);
}
if (!document || worst.length > 0) process.exit(1);
console.log(`${document.allChannels().length} channels, ${document.allMessages().length} messages`);
