import { everyStepCutBy } from "./everyStep";

everyStepCutBy.redis("a power cut of the guest");
