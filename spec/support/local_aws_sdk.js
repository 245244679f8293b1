/*
 * The AWS SDK for JavaScript on a line of JSON each way: a client, a command
 * and its input come in; the output goes out, or the error as the SDK has it.
 * Knows no test: local_aws_javascript_test.py asks, and judges.
 *
 * node local_aws_sdk.js FOLDER-WITH-THE-PACKAGES READY-LINE
 */
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");
const readline = require("node:readline");

const ready = JSON.parse(process.argv[3]);
const load = createRequire(path.join(process.argv[2], "here.js"));
const CLIENTS = {
  personalize: ["@aws-sdk/client-personalize", "PersonalizeClient"],
  s3: ["@aws-sdk/client-s3", "S3Client"],
  sts: ["@aws-sdk/client-sts", "STSClient"],
  iam: ["@aws-sdk/client-iam", "IAMClient", "us-east-1"],
};

function open(name, options) {
  const [folder, constructor, region] = CLIENTS[name];
  const sdk = load(folder);
  const client = new sdk[constructor]({
    endpoint: ready.endpoint,
    region: region || ready.region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: ready.access_key_id,
      secretAccessKey: ready.secret_access_key,
    },
    ...options,
  });
  return { sdk, client };
}

async function plain(output) {
  const { $metadata: metadata, ...found } = output;
  if (found.Body && found.Body.transformToString) {
    found.Body = await found.Body.transformToString();
  }
  return { output: found, status: metadata.httpStatusCode };
}

async function ask({ service, command, input, paginate, options }) {
  const { sdk, client } = open(service, options);
  try {
    if (!paginate) {
      return await plain(await client.send(
        new sdk[command + "Command"](input || {})));
    }
    const pages = [];
    for await (const page of sdk["paginate" + command](
      { client, pageSize: paginate }, input || {})) {
      pages.push((await plain(page)).output);
    }
    return { pages };
  } catch (error) {
    if (!error.$metadata) {
      return { broken: String(error.stack) };
    }
    return {
      error: error.name,
      message: error.message,
      status: error.$metadata.httpStatusCode,
      modelled: Object.prototype.hasOwnProperty.call(sdk, error.name) &&
        error instanceof sdk[error.name],
    };
  } finally {
    client.destroy();
  }
}

async function main() {
  const lines = readline.createInterface({ input: process.stdin });
  for await (const line of lines) {
    process.stdout.write(JSON.stringify(await ask(JSON.parse(line))) + "\n");
  }
}

main();
