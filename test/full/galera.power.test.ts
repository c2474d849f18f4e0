import { everyStepCutBy } from "./everyStep";

everyStepCutBy.galera("a power cut of the guest");
