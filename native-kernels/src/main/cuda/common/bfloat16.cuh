// bfloat16 as a storage type: converted to and from float at loads and stores, rounded to nearest.
// Comes before the headers whose templates are to take it.
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

// Four neighbouring elements; the address is a multiple of four elements.
struct alignas(8) Bf16Quad {
  __nv_bfloat162 low;
  __nv_bfloat162 high;
};

__device__ __forceinline__ float4 load4(const bf16* source) {
  const Bf16Quad quad = *reinterpret_cast<const Bf16Quad*>(source);
  const float2 low = __bfloat1622float2(quad.low);
  const float2 high = __bfloat1622float2(quad.high);
  return make_float4(low.x, low.y, high.x, high.y);
}

__device__ __forceinline__ void store4(bf16* target, float4 value) {
  Bf16Quad quad;
  quad.low = __floats2bfloat162_rn(value.x, value.y);
  quad.high = __floats2bfloat162_rn(value.z, value.w);
  *reinterpret_cast<Bf16Quad*>(target) = quad;
}

}  // namespace autosparse
