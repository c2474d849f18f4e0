import { everyStepCutBy } from "./everyStep";

everyStepCutBy("Ctrl-C, twice");
