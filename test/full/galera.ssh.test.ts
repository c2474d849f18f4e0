import { everyStepCutBy } from "./everyStep";

everyStepCutBy("a lost SSH connection");
