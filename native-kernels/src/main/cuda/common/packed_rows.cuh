// Sixteen bytes of one row of features, four channels in fp32 and eight in bf16: the share of one
// thread in kernels that stream features whatever they store.
#pragma once

#include "bfloat16.cuh"
#include "quads.cuh"

namespace autosparse {

template <typename T>
struct PackedRows {
  static constexpr int kSize = Pack<T>::kSize;
  static constexpr int kChannels = 32 * kSize;  // of one block at most
  int lanes;    // side by side along the channels, a power of two up to 32
  int row;      // this thread's row among those that the block reads at once
  int rows;     // rows that the block reads at once
  int channel;  // first of this thread's

  __device__ __forceinline__ explicit PackedRows(int channels) {
    lanes = 1;
    while (lanes < 32 && lanes * kSize < channels) {
      lanes *= 2;
    }
    row = threadIdx.x / lanes;
    rows = blockDim.x / lanes;
    channel = blockIdx.y * kChannels + threadIdx.x % lanes * kSize;
  }
};

// The first `left` of a pack's elements, zeros after them; kAligned: all, in one access, or none.
template <bool kAligned, typename T>
__device__ __forceinline__ Pack<T> load_row_pack(const T* source, int left) {
  Pack<T> pack = {};
  if constexpr (kAligned) {
    if (left > 0) {
      pack = load_pack(source);
    }
  } else {
#pragma unroll
    for (int j = 0; j < Pack<T>::kSize; j++) {
      pack.element[j] = j < left ? source[j] : from_float<T>(0.0f);
    }
  }
  return pack;
}

}  // namespace autosparse
