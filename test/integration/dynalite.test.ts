import { dynalitePlace } from "./places/emulators.js";
import { integrationSuite } from "./suite/index.js";

// About a minute of `npm test`; other stores run the same cases by their own scripts.
integrationSuite("DynamoDB on dynalite, Kinesis on kinesis-local", dynalitePlace);
