/** Dense symmetric positive definite systems of a few dozen unknowns, row-major; the fits solve thousands of them. */

/** Solves A·X = B for one or more right-hand sides by Cholesky. `a` is n×n, `b` is n×m; both stay as they are. */
export function solvePositive(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const m = b.length / n;
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      // A vanishing pivot means that nothing determines this unknown; the smallest positive one keeps it where it is.
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / l[j * n + j];
    }
  }
  const x = b.slice();
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < n; i++) {
      let sum = x[i * m + c];
      for (let k = 0; k < i; k++) sum -= l[i * n + k] * x[k * m + c];
      x[i * m + c] = sum / l[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = x[i * m + c];
      for (let k = i + 1; k < n; k++) sum -= l[k * n + i] * x[k * m + c];
      x[i * m + c] = sum / l[i * n + i];
    }
  }
  return x;
}

/** Inverse of a symmetric positive definite matrix. */
export function invertPositive(a: Float64Array, n: number): Float64Array {
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  return solvePositive(a, identity, n);
}
