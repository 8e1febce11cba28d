import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { eProp } from "../index.js";

runLearningMethodCases({ name: "eProp", make: () => eProp(), exact: false });
