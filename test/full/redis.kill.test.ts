import { everyStepCutBy } from "./everyStep";

everyStepCutBy.redis("kill -9 of the CLI");
