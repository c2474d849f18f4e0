import { everyStepCutBy } from "./everyStep";

everyStepCutBy("kill -9 of the CLI");
