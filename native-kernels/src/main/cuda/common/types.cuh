// Storage types and 16-byte accesses. Kernels compute in float whatever they store.
#pragma once

namespace autosparse {

using int64 = long long;
using uint64 = unsigned long long;

__device__ __forceinline__ float to_float(float value) { return value; }

template <typename T>
__device__ __forceinline__ T from_float(float value);

template <>
__device__ __forceinline__ float from_float<float>(float value) {
  return value;
}

// As many elements as one 16-byte load or store moves.
template <typename T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T element[kSize];
};

// Tensors start at multiples of 256 bytes, but a view of some rows need not.
template <typename T>
__device__ __forceinline__ bool is_packed(const T* pointer) {
  return (reinterpret_cast<uint64>(pointer) & 15) == 0;
}

template <typename T>
__device__ __forceinline__ Pack<T> load_pack(const T* pointer) {
  return *reinterpret_cast<const Pack<T>*>(pointer);
}

template <typename T>
__device__ __forceinline__ void store_pack(T* pointer, const Pack<T>& pack) {
  *reinterpret_cast<Pack<T>*>(pointer) = pack;
}

// Index of this thread in a one-dimensional grid, and the number of its threads.
__device__ __forceinline__ int64 grid_thread() {
  return static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__device__ __forceinline__ int64 grid_threads() {
  return static_cast<int64>(gridDim.x) * blockDim.x;
}

}  // namespace autosparse
