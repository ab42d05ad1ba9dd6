import { integrationSuite } from "../suite/index.js";
import { dynamoDbLocalPlace } from "./emulators.js";

integrationSuite("DynamoDB Local and kinesis-local", dynamoDbLocalPlace);
