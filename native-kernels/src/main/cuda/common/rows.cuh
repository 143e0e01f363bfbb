// Rows of a tensor in a storage type T, computed in single precision: loads and stores of four
// elements at once, and sums whose order does not depend on timing.
#pragma once

#include "types.cuh"

namespace autosparse {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

// Four neighbouring elements; the address is a multiple of four elements.
__device__ __forceinline__ float4 load4(const float* source) {
  return *reinterpret_cast<const float4*>(source);
}

__device__ __forceinline__ void store4(float* target, float4 value) {
  *reinterpret_cast<float4*>(target) = value;
}

// Elements c to c + 3 of a row of `columns`, zero beyond its end.
template <typename T>
__device__ __forceinline__ float4 load4_partly(const T* row, int c, int columns, bool vectored) {
  if (vectored) {
    return c < columns ? load4(row + c) : make_float4(0, 0, 0, 0);
  }
  return make_float4(
      c < columns ? to_float(row[c]) : 0.0f, c + 1 < columns ? to_float(row[c + 1]) : 0.0f,
      c + 2 < columns ? to_float(row[c + 2]) : 0.0f, c + 3 < columns ? to_float(row[c + 3]) : 0.0f);
}

template <typename T>
__device__ __forceinline__ void store4_partly(T* row, int c, int columns, bool vectored,
                                              float4 value) {
  if (vectored) {
    if (c < columns) store4(row + c, value);
    return;
  }
  if (c < columns) row[c] = from_float<T>(value.x);
  if (c + 1 < columns) row[c + 1] = from_float<T>(value.y);
  if (c + 2 < columns) row[c + 2] = from_float<T>(value.z);
  if (c + 3 < columns) row[c + 3] = from_float<T>(value.w);
}

// The sum over a warp, the same bits in every lane.
template <typename V>
__device__ __forceinline__ V warp_sum(V value) {
#pragma unroll
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, distance);
  }
  return value;
}

// The sum over a block of whole warps, the same bits in every thread; `slots` holds one value a
// warp. Begins and ends with a barrier.
template <typename V>
__device__ __forceinline__ V block_sum(V value, V* slots) {
  int warps = blockDim.x / kWarp;
  value = warp_sum(value);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) slots[threadIdx.x / kWarp] = value;
  __syncthreads();
  V sum = 0;
  for (int w = 0; w < warps; w++) sum += slots[w];
  __syncthreads();
  return sum;
}

// 2^x, to 2 units in the last place; results below the normal range become 0.
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// 1/x, to 1 unit in the last place.
__device__ __forceinline__ float reciprocal_fast(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// log2 x, to 2^-22 absolutely where x is in [0.5, 2], to 2^-22 relatively elsewhere.
__device__ __forceinline__ float log2_fast(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace autosparse
