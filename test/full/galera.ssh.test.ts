import { everyStepCutBy } from "./everyStep";

everyStepCutBy.galera("a lost SSH connection");
