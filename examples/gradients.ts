import { compile, grad, matmul, square, sum, type Tensor, tensor } from "through-time";

const loss = (w: Tensor, x: Tensor) => sum(square(matmul(x, w)));
const gradient = compile(grad(loss)); // for w: traced once for each shape, then one call into the kernels

console.log(String(gradient(tensor([[1], [2]]), tensor([[3, 4]]))));
