import { integrationSuite } from "../suite/index.js";
import { localStackPlace } from "./emulators.js";

integrationSuite("LocalStack", localStackPlace);
