import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { rflo } from "../index.js";

runLearningMethodCases({ name: "rflo", make: () => rflo({ leakRate: 0.5 }), exact: false });
