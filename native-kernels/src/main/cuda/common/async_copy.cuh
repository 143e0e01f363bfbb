// Copies from global to shared memory that run beside the arithmetic (cp.async, sm_80 and later);
// on sm_75 the same calls are plain loads and stores, so that a kernel is written once.
#pragma once

#include "types.cuh"

namespace autosparse {

// 16 bytes, both sides aligned to 16; zeros when not valid: `source` is then not read, but must be
// an address.
template <typename T>
__device__ __forceinline__ void copy_pack(T* shared, const T* source, bool valid) {
#if __CUDA_ARCH__ >= 800
  const unsigned target = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source),
               "r"(bytes)
               : "memory");
#else
  *reinterpret_cast<float4*>(shared) =
      valid ? *reinterpret_cast<const float4*>(source) : make_float4(0, 0, 0, 0);
#endif
}

// Closes a group of copies; a group may be empty.
__device__ __forceinline__ void commit_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most kPending of this thread's latest groups are under way.
template <int kPending>
__device__ __forceinline__ void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

}  // namespace autosparse
