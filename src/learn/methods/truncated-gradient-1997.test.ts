import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { truncatedGradient1997 } from "../index.js";

runLearningMethodCases({
  name: "truncatedGradient1997",
  make: () => truncatedGradient1997({ cells: ["h"] }),
  exact: false,
});
