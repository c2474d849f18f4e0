import { everyStepCutBy } from "./everyStep";

everyStepCutBy.redis("a lost SSH connection");
