import { everyStepCutBy } from "./everyStep";

everyStepCutBy.redis("Ctrl-C, twice");
