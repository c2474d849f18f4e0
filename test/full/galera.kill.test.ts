import { everyStepCutBy } from "./everyStep";

everyStepCutBy.galera("kill -9 of the CLI");
