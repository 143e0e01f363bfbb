// Adam over many tensors in one launch, and the norm of all gradients.
//
// The addresses of up to 80 tensors travel as a kernel argument (no copy to the device); their
// elements are cut into tiles of 4,096, and a block finds its tile's tensor by bisection. Two
// launches update the parameters of any network with up to 160 tensors.
// The norm: one sum of squares a tile, by a fixed tree, then one block adds the tiles' sums in
// double precision, always in the same order.
//   norm  bytes 4 an element; Adam  bytes 28 an element (four read, three written), FLOPs 15
// Bound: memory.
#include "common/rows.cuh"

namespace autosparse {

constexpr int TENSORS = 80;

// Tensors of one launch; those of tensor p are tiles firstTile[p] to firstTile[p + 1].
struct TensorList {
  float* weights[TENSORS];
  float* gradients[TENSORS];
  float* firstMoments[TENSORS];
  float* secondMoments[TENSORS];
  long long elements[TENSORS];
  int firstTile[TENSORS + 1];
  int count;
};

// One step's constants, rounded to float once.
struct AdamConstants {
  float clipNorm;
  float coupledDecay;
  float decoupledDecay;
  float keep1;
  float take1;
  float keep2;
  float take2;
  float rate;
  float inverseCorrection2;
  float epsilon;
};

namespace {

constexpr int THREADS = 256;
constexpr int TILE = 4096;

// The tensor that a tile belongs to: the last one that starts at or before it and is not empty.
__device__ __forceinline__ int tensorOf(const TensorList& list, int tile) {
  int low = 0;
  int high = list.count;
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (list.firstTile[middle] <= tile) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

__device__ __forceinline__ bool aligned(const void* address) {
  return (reinterpret_cast<unsigned long long>(address) & 15) == 0;
}

// An element's update; `decay` of each kind is 0 unless it is used.
__device__ __forceinline__ void update(
    const AdamConstants& step, float clip, float& w, float g, float& m, float& v) {
  float gradient = fmaf(step.coupledDecay, w, g * clip);
  m = fmaf(step.keep1, m, step.take1 * gradient);
  v = fmaf(step.keep2, v, step.take2 * gradient * gradient);
  float deviation = sqrtf(v * step.inverseCorrection2) + step.epsilon;
  w -= step.rate * m / deviation + step.decoupledDecay * w;
}

}  // namespace
}  // namespace autosparse

// squares [tiles, from partialsAt on]. Grid: tiles; 256 threads.
extern "C" __global__ void __launch_bounds__(256) optimizer_square_tiles(
    const __grid_constant__ autosparse::TensorList list, double* squares, long long squaresAt) {
  using namespace autosparse;
  __shared__ float slots[THREADS / WARP];
  int p = tensorOf(list, blockIdx.x);
  long long from = (long long)(blockIdx.x - list.firstTile[p]) * TILE;
  int count = (int)min((long long)TILE, list.elements[p] - from);
  const float* g = list.gradients[p] + from;
  float sum = 0;
  if (aligned(g)) {
#pragma unroll 4
    for (int i = 4 * threadIdx.x; i < count; i += 4 * THREADS) {
      float4 four = load4Partly(g, i, count, i + 4 <= count);
      sum = fmaf(four.x, four.x, sum);
      sum = fmaf(four.y, four.y, sum);
      sum = fmaf(four.z, four.z, sum);
      sum = fmaf(four.w, four.w, sum);
    }
  } else {
    for (int i = threadIdx.x; i < count; i += THREADS) sum = fmaf(g[i], g[i], sum);
  }
  sum = blockSum(sum, slots);
  if (threadIdx.x == 0) squares[squaresAt + blockIdx.x] = sum;
}

// norm [1] = √Σ squares. One block of 256 threads.
extern "C" __global__ void __launch_bounds__(256) optimizer_norm(
    const double* squares, long long tiles, float* norm) {
  using namespace autosparse;
  __shared__ double slots[THREADS / WARP];
  double sum = 0;
  for (long long t = threadIdx.x; t < tiles; t += THREADS) sum += squares[t];
  sum = blockSum(sum, slots);
  if (threadIdx.x == 0) norm[0] = (float)sqrt(sum);
}

// Grid: tiles; 256 threads.
extern "C" __global__ void __launch_bounds__(256) optimizer_adam(
    const __grid_constant__ autosparse::TensorList list,
    const __grid_constant__ autosparse::AdamConstants step,
    const float* norm) {
  using namespace autosparse;
  float clip = step.clipNorm > 0 ? fminf(1, step.clipNorm / norm[0]) : 1;
  int p = tensorOf(list, blockIdx.x);
  long long from = (long long)(blockIdx.x - list.firstTile[p]) * TILE;
  int count = (int)min((long long)TILE, list.elements[p] - from);
  float* w = list.weights[p] + from;
  const float* g = list.gradients[p] + from;
  float* m = list.firstMoments[p] + from;
  float* v = list.secondMoments[p] + from;
  bool vectored = aligned(w) && aligned(g) && aligned(m) && aligned(v);
  int whole = vectored ? count / 4 * 4 : 0;
#pragma unroll 4
  for (int i = 4 * threadIdx.x; i < whole; i += 4 * THREADS) {
    float4 w4 = load4(w + i);
    float4 g4 = load4(g + i);
    float4 m4 = load4(m + i);
    float4 v4 = load4(v + i);
    update(step, clip, w4.x, g4.x, m4.x, v4.x);
    update(step, clip, w4.y, g4.y, m4.y, v4.y);
    update(step, clip, w4.z, g4.z, m4.z, v4.z);
    update(step, clip, w4.w, g4.w, m4.w, v4.w);
    store4(w + i, w4);
    store4(m + i, m4);
    store4(v + i, v4);
  }
  for (int i = whole + threadIdx.x; i < count; i += THREADS) {
    update(step, clip, w[i], g[i], m[i], v[i]);
  }
}
