// bfloat16 as a storage type: converted to and from float at loads and stores, rounded to nearest.
#pragma once

#include <cuda_bf16.h>

#include "types.cuh"

namespace autosparse {

using bf16 = __nv_bfloat16;

__device__ __forceinline__ float to_float(bf16 value) { return __bfloat162float(value); }

template <>
__device__ __forceinline__ bf16 from_float<bf16>(float value) {
  return __float2bfloat16_rn(value);
}

}  // namespace autosparse
