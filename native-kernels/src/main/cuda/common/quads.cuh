// Four neighbouring channels of one row, the share of one thread in kernels that stream features.
#pragma once

#include "types.cuh"

namespace autosparse {

// The first `left` of four elements, zeros after them; aligned: all four, in one access.
template <typename T>
__device__ __forceinline__ float4 load_quad(const T* source, int left, bool aligned) {
  if (aligned && sizeof(T) == 4) {
    return *reinterpret_cast<const float4*>(source);
  }
  float values[4];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    values[j] = j < left ? to_float(source[j]) : 0.0f;
  }
  return make_float4(values[0], values[1], values[2], values[3]);
}

// Stores the first `left` of four elements; aligned: all four in one access, or none.
template <bool kAligned, typename T>
__device__ __forceinline__ void store_quad(T* target, float4 value, int left) {
  if (kAligned && sizeof(T) == 4) {
    if (left > 0) {
      *reinterpret_cast<float4*>(target) = value;
    }
    return;
  }
  const float values[4] = {value.x, value.y, value.z, value.w};
#pragma unroll
  for (int j = 0; j < 4; j++) {
    if (j < left) {
      target[j] = from_float<T>(values[j]);
    }
  }
}

__device__ __forceinline__ float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// How a block lies over a feature matrix: as many lanes along the channels as there are quads, a
// power of two up to 32, and the rest of the threads along the rows.
struct QuadLayout {
  int lanes;
  int row;      // this thread's row among those that the block reads at once
  int rows;     // rows that the block reads at once
  int channel;  // first of this thread's four
};

constexpr int kQuadChannels = 128;  // of one block at most

__device__ __forceinline__ QuadLayout quad_layout(int channels) {
  QuadLayout layout;
  layout.lanes = 1;
  while (layout.lanes < 32 && layout.lanes * 4 < channels) {
    layout.lanes *= 2;
  }
  layout.row = threadIdx.x / layout.lanes;
  layout.rows = blockDim.x / layout.lanes;
  layout.channel = blockIdx.y * kQuadChannels + threadIdx.x % layout.lanes * 4;
  return layout;
}

// First of the things of a slice, all slices being as long as each other or one longer.
__device__ __forceinline__ int64 slice_start(int64 things, int slices, int slice) {
  const int64 longer = things % slices;
  return things / slices * slice + (slice < longer ? slice : longer);
}

}  // namespace autosparse
