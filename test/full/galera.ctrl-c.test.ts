import { everyStepCutBy } from "./everyStep";

everyStepCutBy.galera("Ctrl-C, twice");
