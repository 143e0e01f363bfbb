// Rows of a tensor in a storage type T, computed in single precision: loads and stores of four
// elements at once, and sums whose order does not depend on timing.
#pragma once

namespace autosparse {

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;
constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LN_2 = 0.6931471805599453f;

__device__ __forceinline__ float widen(float value) { return value; }

template <typename T>
__device__ __forceinline__ T narrow(float value);

template <>
__device__ __forceinline__ float narrow<float>(float value) {
  return value;
}

// Four neighbouring elements; the address is a multiple of four elements.
__device__ __forceinline__ float4 load4(const float* source) {
  return *reinterpret_cast<const float4*>(source);
}

__device__ __forceinline__ void store4(float* target, float4 value) {
  *reinterpret_cast<float4*>(target) = value;
}

// Elements c to c + 3 of a row of `columns`, zero beyond its end.
template <typename T>
__device__ __forceinline__ float4 load4Partly(const T* row, int c, int columns, bool vectored) {
  if (vectored) {
    return c < columns ? load4(row + c) : make_float4(0, 0, 0, 0);
  }
  return make_float4(
      c < columns ? widen(row[c]) : 0.0f,
      c + 1 < columns ? widen(row[c + 1]) : 0.0f,
      c + 2 < columns ? widen(row[c + 2]) : 0.0f,
      c + 3 < columns ? widen(row[c + 3]) : 0.0f);
}

template <typename T>
__device__ __forceinline__ void store4Partly(
    T* row, int c, int columns, bool vectored, float4 value) {
  if (vectored) {
    if (c < columns) store4(row + c, value);
    return;
  }
  if (c < columns) row[c] = narrow<T>(value.x);
  if (c + 1 < columns) row[c + 1] = narrow<T>(value.y);
  if (c + 2 < columns) row[c + 2] = narrow<T>(value.z);
  if (c + 3 < columns) row[c + 3] = narrow<T>(value.w);
}

// The sum over a warp, the same bits in every lane.
template <typename V>
__device__ __forceinline__ V warpSum(V value) {
#pragma unroll
  for (int distance = WARP / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(ALL_LANES, value, distance);
  }
  return value;
}

// The sum over a block of whole warps, the same bits in every thread; `slots` holds one value a
// warp. Begins and ends with a barrier.
template <typename V>
__device__ __forceinline__ V blockSum(V value, V* slots) {
  int warps = blockDim.x / WARP;
  value = warpSum(value);
  __syncthreads();
  if (threadIdx.x % WARP == 0) slots[threadIdx.x / WARP] = value;
  __syncthreads();
  V sum = 0;
  for (int w = 0; w < warps; w++) sum += slots[w];
  __syncthreads();
  return sum;
}

// 2^x, to 2 units in the last place; results below the normal range become 0.
__device__ __forceinline__ float exp2Fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// log2 x, to 2^-22 absolutely where x is in [0.5, 2], to 2^-22 relatively elsewhere.
__device__ __forceinline__ float log2Fast(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace autosparse
