import { integrationSuite } from "../suite/index.js";
import { dynalitePlace } from "./emulators.js";

integrationSuite("DynamoDB on dynalite, Kinesis on kinesis-local", dynalitePlace);
