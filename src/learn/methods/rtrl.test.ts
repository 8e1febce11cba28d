import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { rtrl } from "../index.js";

runLearningMethodCases({ name: "rtrl", make: rtrl, exact: true });
