// Segments of rows: segment s holds rows offsets[s] to offsets[s + 1].
#pragma once

#include "types.cuh"

namespace autosparse {

// The segment that holds a row: the last s in [low, high] whose offset is not beyond it. An empty
// segment holds no row and is never the answer, except where low itself is.
__device__ __forceinline__ int64 segment_of(const int64* offsets, int64 low, int64 high, int64 row) {
  while (low < high) {
    const int64 middle = low + (high - low + 1) / 2;
    if (offsets[middle] <= row) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace autosparse
