import { everyStepCutBy } from "./everyStep";

everyStepCutBy("a power cut of the guest");
